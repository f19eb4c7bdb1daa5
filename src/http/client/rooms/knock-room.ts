/** POST /_matrix/client/v3/knock/{roomIdOrAlias} — https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3knockroomidoralias */
import type { Rooms } from '../../../rooms/index.ts';
import { object, optional, string } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { roomIdOrAlias } from './identifiers.ts';
import { viaOf, viaQuery } from './via-query.ts';

export const knockRoom = defineEndpoint({
  operationId: 'knockRoom',
  method: 'POST',
  path: '/_matrix/client/v3/knock/{roomIdOrAlias}',
  auth: 'accessToken',
  rateLimit: 'invite',
  refusedWhileSuspended: true,
  params: { roomIdOrAlias: roomIdOrAlias() },
  query: viaQuery,
  body: object({ reason: optional(string()) }),
  async handle({ params, query, body, requester }, { rooms }: { rooms: Pick<Rooms, 'knockRoom' | 'locateRoom'> }) {
    const { roomId, servers } = await rooms.locateRoom(params.roomIdOrAlias);
    await rooms.knockRoom(requester, { roomId, reason: body.reason, via: [...viaOf(query), ...servers] });
    return { json: { room_id: roomId } };
  },
});
