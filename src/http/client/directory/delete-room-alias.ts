/** DELETE /_matrix/client/v3/directory/room/{roomAlias} — https://spec.matrix.org/v1.19/client-server-api/#delete_matrixclientv3directoryroomroomalias */
import type { Rooms } from '../../../rooms/index.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { roomAlias } from '../rooms/identifiers.ts';

export const deleteRoomAlias = defineEndpoint({
  operationId: 'deleteRoomAlias',
  method: 'DELETE',
  path: '/_matrix/client/v3/directory/room/{roomAlias}',
  auth: 'accessToken',
  rateLimit: 'send',
  refusedWhileSuspended: true,
  params: { roomAlias: roomAlias() },
  query: {},
  async handle({ params, requester }, { rooms }: { rooms: Pick<Rooms, 'deleteAlias'> }) {
    await rooms.deleteAlias(requester, params.roomAlias);
    return { json: {} };
  },
});
