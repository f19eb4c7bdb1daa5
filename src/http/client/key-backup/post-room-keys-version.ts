/** POST /_matrix/client/v3/room_keys/version — https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3room_keysversion */
import type { Encryption } from '../../../encryption/index.ts';
import { jsonObject, object, string } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';

export const postRoomKeysVersion = defineEndpoint({
  operationId: 'postRoomKeysVersion',
  method: 'POST',
  path: '/_matrix/client/v3/room_keys/version',
  auth: 'accessToken',
  rateLimit: 'signal',
  params: {},
  query: {},
  body: object({ algorithm: string({ maxBytes: 255 }), auth_data: jsonObject() }),
  async handle({ body, requester }, { encryption }: { encryption: Pick<Encryption, 'createKeyBackup'> }) {
    const { algorithm, auth_data: authData } = body;
    return { json: { version: await encryption.createKeyBackup(requester.userNid, { algorithm, authData }) } };
  },
});
