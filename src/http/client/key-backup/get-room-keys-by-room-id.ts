/** GET /_matrix/client/v3/room_keys/keys/{roomId} — https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3room_keyskeysroomid */
import type { Encryption } from '../../../encryption/index.ts';
import { string } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { roomId } from '../rooms/identifiers.ts';

export const getRoomKeysByRoomId = defineEndpoint({
  operationId: 'getRoomKeysByRoomId',
  method: 'GET',
  path: '/_matrix/client/v3/room_keys/keys/{roomId}',
  auth: 'accessToken',
  rateLimit: 'read',
  params: { roomId: roomId() },
  query: { version: string() },
  async handle({ params, query, requester }, { encryption }: { encryption: Pick<Encryption, 'readBackedUpKeys'> }) {
    return { json: await encryption.readBackedUpKeys(requester.userNid, query.version, params.roomId) };
  },
});
