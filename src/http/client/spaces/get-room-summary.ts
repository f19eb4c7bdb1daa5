/** GET /_matrix/client/v1/room_summary/{roomIdOrAlias} — https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1room_summaryroomidoralias */
import type { Rooms } from '../../../rooms/index.ts';
import { arrayOf, optional } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { roomIdOrAlias, serverName } from '../rooms/identifiers.ts';

export const getRoomSummary = defineEndpoint({
  operationId: 'getRoomSummary',
  method: 'GET',
  path: '/_matrix/client/v1/room_summary/{roomIdOrAlias}',
  alsoAt: [
    '/_matrix/client/unstable/im.nheko.summary/summary/{roomIdOrAlias}',
    '/_matrix/client/unstable/im.nheko.summary/rooms/{roomIdOrAlias}/summary',
  ],
  auth: 'optionalAccessToken',
  rateLimit: 'read',
  params: { roomIdOrAlias: roomIdOrAlias() },
  query: { via: optional(arrayOf(serverName(), { max: 50 })) },
  async handle({ params, query, requester }, { rooms }: { rooms: Pick<Rooms, 'roomSummary' | 'locateRoom'> }) {
    const { roomId, servers } = await rooms.locateRoom(params.roomIdOrAlias);
    return { json: await rooms.roomSummary(requester, roomId, [...(query.via ?? []), ...servers]) };
  },
});
