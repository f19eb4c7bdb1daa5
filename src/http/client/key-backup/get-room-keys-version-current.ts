/** GET /_matrix/client/v3/room_keys/version — https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3room_keysversion */
import type { Encryption } from '../../../encryption/index.ts';
import { defineEndpoint } from '../../endpoint.ts';

export const getRoomKeysVersionCurrent = defineEndpoint({
  operationId: 'getRoomKeysVersionCurrent',
  method: 'GET',
  path: '/_matrix/client/v3/room_keys/version',
  auth: 'accessToken',
  rateLimit: 'read',
  params: {},
  query: {},
  async handle({ requester }, { encryption }: { encryption: Pick<Encryption, 'getKeyBackup'> }) {
    return { json: await encryption.getKeyBackup(requester.userNid) };
  },
});
