/** PUT /_matrix/client/v3/room_keys/keys/{roomId}/{sessionId} — https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3room_keyskeysroomidsessionid */
import type { Encryption } from '../../../encryption/index.ts';
import { string } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { roomId } from '../rooms/identifiers.ts';
import { keyBackupData, uploadedKeys } from './uploaded-keys.ts';

export const putRoomKeyBySessionId = defineEndpoint({
  operationId: 'putRoomKeyBySessionId',
  method: 'PUT',
  path: '/_matrix/client/v3/room_keys/keys/{roomId}/{sessionId}',
  auth: 'accessToken',
  rateLimit: 'signal',
  params: { roomId: roomId(), sessionId: string({ maxBytes: 255 }) },
  query: { version: string() },
  body: keyBackupData,
  async handle(
    { params, query, body, requester },
    { encryption }: { encryption: Pick<Encryption, 'putBackedUpKeys'> },
  ) {
    const uploads = uploadedKeys({ [params.roomId]: { sessions: { [params.sessionId]: body } } });
    return { json: await encryption.putBackedUpKeys(requester.userNid, query.version, uploads) };
  },
});
