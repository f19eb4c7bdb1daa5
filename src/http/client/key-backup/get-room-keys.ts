/** GET /_matrix/client/v3/room_keys/keys — https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3room_keyskeys */
import type { Encryption } from '../../../encryption/index.ts';
import { string } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';

export const getRoomKeys = defineEndpoint({
  operationId: 'getRoomKeys',
  method: 'GET',
  path: '/_matrix/client/v3/room_keys/keys',
  auth: 'accessToken',
  rateLimit: 'read',
  params: {},
  query: { version: string() },
  async handle({ query, requester }, { encryption }: { encryption: Pick<Encryption, 'readBackedUpKeys'> }) {
    return { json: await encryption.readBackedUpKeys(requester.userNid, query.version, undefined) };
  },
});
