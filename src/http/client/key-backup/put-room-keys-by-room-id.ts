/** PUT /_matrix/client/v3/room_keys/keys/{roomId} — https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3room_keyskeysroomid */
import type { Encryption } from '../../../encryption/index.ts';
import { string } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { roomId } from '../rooms/identifiers.ts';
import { roomKeyBackup, uploadedKeys } from './uploaded-keys.ts';

export const putRoomKeysByRoomId = defineEndpoint({
  operationId: 'putRoomKeysByRoomId',
  method: 'PUT',
  path: '/_matrix/client/v3/room_keys/keys/{roomId}',
  auth: 'accessToken',
  rateLimit: 'signal',
  params: { roomId: roomId() },
  query: { version: string() },
  body: roomKeyBackup,
  async handle(
    { params, query, body, requester },
    { encryption }: { encryption: Pick<Encryption, 'putBackedUpKeys'> },
  ) {
    const uploads = uploadedKeys({ [params.roomId]: body });
    return { json: await encryption.putBackedUpKeys(requester.userNid, query.version, uploads) };
  },
});
