/** DELETE /_matrix/client/v3/room_keys/keys/{roomId} — https://spec.matrix.org/v1.19/client-server-api/#delete_matrixclientv3room_keyskeysroomid */
import type { Encryption } from '../../../encryption/index.ts';
import { string } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { roomId } from '../rooms/identifiers.ts';

export const deleteRoomKeysByRoomId = defineEndpoint({
  operationId: 'deleteRoomKeysByRoomId',
  method: 'DELETE',
  path: '/_matrix/client/v3/room_keys/keys/{roomId}',
  auth: 'accessToken',
  rateLimit: 'signal',
  params: { roomId: roomId() },
  query: { version: string() },
  async handle({ params, query, requester }, { encryption }: { encryption: Pick<Encryption, 'removeBackedUpKeys'> }) {
    return { json: await encryption.removeBackedUpKeys(requester.userNid, query.version, params) };
  },
});
