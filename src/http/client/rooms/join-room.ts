/** POST /_matrix/client/v3/join/{roomIdOrAlias} — https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3joinroomidoralias */
import type { Rooms } from '../../../rooms/index.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { roomIdOrAlias } from './identifiers.ts';
import { joinBody } from './join-body.ts';
import { viaOf, viaQuery } from './via-query.ts';

export const joinRoom = defineEndpoint({
  operationId: 'joinRoom',
  method: 'POST',
  path: '/_matrix/client/v3/join/{roomIdOrAlias}',
  auth: 'accessToken',
  rateLimit: 'send',
  refusedWhileSuspended: true,
  params: { roomIdOrAlias: roomIdOrAlias() },
  query: viaQuery,
  body: joinBody,
  async handle({ params, query, body, requester }, { rooms }: { rooms: Pick<Rooms, 'joinRoom' | 'locateRoom'> }) {
    const { roomId, servers } = await rooms.locateRoom(params.roomIdOrAlias);
    await rooms.joinRoom(requester, { roomId, ...body, via: [...viaOf(query), ...servers] });
    return { json: { room_id: roomId } };
  },
});
