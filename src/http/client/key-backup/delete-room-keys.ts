/** DELETE /_matrix/client/v3/room_keys/keys — https://spec.matrix.org/v1.19/client-server-api/#delete_matrixclientv3room_keyskeys */
import type { Encryption } from '../../../encryption/index.ts';
import { string } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';

export const deleteRoomKeys = defineEndpoint({
  operationId: 'deleteRoomKeys',
  method: 'DELETE',
  path: '/_matrix/client/v3/room_keys/keys',
  auth: 'accessToken',
  rateLimit: 'signal',
  params: {},
  query: { version: string() },
  async handle({ query, requester }, { encryption }: { encryption: Pick<Encryption, 'removeBackedUpKeys'> }) {
    return { json: await encryption.removeBackedUpKeys(requester.userNid, query.version, {}) };
  },
});
