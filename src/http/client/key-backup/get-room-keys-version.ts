/** GET /_matrix/client/v3/room_keys/version/{version} — https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3room_keysversionversion */
import type { Encryption } from '../../../encryption/index.ts';
import { string } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';

export const getRoomKeysVersion = defineEndpoint({
  operationId: 'getRoomKeysVersion',
  method: 'GET',
  path: '/_matrix/client/v3/room_keys/version/{version}',
  auth: 'accessToken',
  rateLimit: 'read',
  params: { version: string() },
  query: {},
  async handle({ params, requester }, { encryption }: { encryption: Pick<Encryption, 'getKeyBackup'> }) {
    return { json: await encryption.getKeyBackup(requester.userNid, params.version) };
  },
});
