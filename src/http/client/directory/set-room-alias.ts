/** PUT /_matrix/client/v3/directory/room/{roomAlias} — https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3directoryroomroomalias */
import type { Rooms } from '../../../rooms/index.ts';
import { object } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { roomAlias, roomId } from '../rooms/identifiers.ts';

export const setRoomAlias = defineEndpoint({
  operationId: 'setRoomAlias',
  method: 'PUT',
  path: '/_matrix/client/v3/directory/room/{roomAlias}',
  auth: 'accessToken',
  rateLimit: 'create',
  refusedWhileSuspended: true,
  params: { roomAlias: roomAlias() },
  query: {},
  body: object({ room_id: roomId() }),
  async handle({ params, body, requester }, { rooms }: { rooms: Pick<Rooms, 'setAlias'> }) {
    await rooms.setAlias(requester, params.roomAlias, body.room_id);
    return { json: {} };
  },
});
