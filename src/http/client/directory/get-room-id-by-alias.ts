/** GET /_matrix/client/v3/directory/room/{roomAlias} — https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3directoryroomroomalias */
import type { Rooms } from '../../../rooms/index.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { roomAlias } from '../rooms/identifiers.ts';

export const getRoomIdByAlias = defineEndpoint({
  operationId: 'getRoomIdByAlias',
  method: 'GET',
  path: '/_matrix/client/v3/directory/room/{roomAlias}',
  auth: 'none',
  rateLimit: 'read',
  params: { roomAlias: roomAlias() },
  query: {},
  async handle({ params }, { rooms }: { rooms: Pick<Rooms, 'resolveAlias'> }) {
    const { room_id, servers } = await rooms.resolveAlias(params.roomAlias);
    return { json: { room_id, servers } };
  },
});
