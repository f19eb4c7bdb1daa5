/** GET /_matrix/federation/v1/query/directory. https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1querydirectory */
import type { Rooms } from '../../../rooms/index.ts';
import { roomAlias } from '../../client/rooms/identifiers.ts';
import { defineEndpoint } from '../../endpoint.ts';

export const queryRoomDirectory = defineEndpoint({
  operationId: 'queryRoomDirectory',
  method: 'GET',
  path: '/_matrix/federation/v1/query/directory',
  auth: 'serverSignature',
  rateLimit: 'federation',
  params: {},
  query: { room_alias: roomAlias() },
  async handle({ query }, { rooms }: { rooms: Pick<Rooms, 'resolveLocalAlias'> }) {
    const { room_id, servers } = await rooms.resolveLocalAlias(query.room_alias);
    return { json: { room_id, servers } };
  },
});
