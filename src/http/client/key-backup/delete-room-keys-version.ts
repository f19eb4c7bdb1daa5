/** DELETE /_matrix/client/v3/room_keys/version/{version} — https://spec.matrix.org/v1.19/client-server-api/#delete_matrixclientv3room_keysversionversion */
import type { Encryption } from '../../../encryption/index.ts';
import { string } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';

export const deleteRoomKeysVersion = defineEndpoint({
  operationId: 'deleteRoomKeysVersion',
  method: 'DELETE',
  path: '/_matrix/client/v3/room_keys/version/{version}',
  auth: 'accessToken',
  rateLimit: 'signal',
  params: { version: string() },
  query: {},
  async handle({ params, requester }, { encryption }: { encryption: Pick<Encryption, 'deleteKeyBackup'> }) {
    await encryption.deleteKeyBackup(requester.userNid, params.version);
    return { json: {} };
  },
});
