/** POST /_matrix/client/v3/join/{roomIdOrAlias} — https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3joinroomidoralias */
import type { Rooms } from '../../../rooms/index.ts';
import { object, optional, string } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { roomIdOrAlias } from './identifiers.ts';

export const joinRoom = defineEndpoint({
  operationId: 'joinRoom',
  method: 'POST',
  path: '/_matrix/client/v3/join/{roomIdOrAlias}',
  auth: 'accessToken',
  rateLimit: 'send',
  params: { roomIdOrAlias: roomIdOrAlias() },
  query: {},
  body: object({ reason: optional(string()) }),
  async handle({ params, body, requester }, { rooms }: { rooms: Pick<Rooms, 'joinRoom' | 'resolveRoom'> }) {
    const roomId = await rooms.resolveRoom(params.roomIdOrAlias);
    await rooms.joinRoom(requester, { roomId, reason: body.reason });
    return { json: { room_id: roomId } };
  },
});
