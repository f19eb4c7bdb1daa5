/** PUT /_matrix/client/v3/room_keys/version/{version} — https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3room_keysversionversion */
import type { Encryption } from '../../../encryption/index.ts';
import { jsonObject, object, optional, string } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';

export const putRoomKeysVersion = defineEndpoint({
  operationId: 'putRoomKeysVersion',
  method: 'PUT',
  path: '/_matrix/client/v3/room_keys/version/{version}',
  auth: 'accessToken',
  rateLimit: 'signal',
  params: { version: string() },
  query: {},
  body: object({ algorithm: string(), auth_data: jsonObject(), version: optional(string()) }),
  async handle({ params, body, requester }, { encryption }: { encryption: Pick<Encryption, 'updateKeyBackup'> }) {
    const { algorithm, auth_data: authData, version: versionInBody } = body;
    await encryption.updateKeyBackup(requester.userNid, params.version, { algorithm, authData, versionInBody });
    return { json: {} };
  },
});
