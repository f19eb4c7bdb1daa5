/** PUT /_matrix/client/v3/directory/list/room/{roomId} — https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3directorylistroomroomid */
import type { Rooms } from '../../../rooms/index.ts';
import { object, oneOf, withDefault } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { roomId } from '../rooms/identifiers.ts';

export const setRoomVisibilityOnDirectory = defineEndpoint({
  operationId: 'setRoomVisibilityOnDirectory',
  method: 'PUT',
  path: '/_matrix/client/v3/directory/list/room/{roomId}',
  auth: 'accessToken',
  rateLimit: 'send',
  refusedWhileSuspended: true,
  params: { roomId: roomId() },
  query: {},
  body: object({ visibility: withDefault(oneOf('public', 'private'), 'public') }),
  async handle({ params, body, requester }, { rooms }: { rooms: Pick<Rooms, 'setDirectoryVisibility'> }) {
    await rooms.setDirectoryVisibility(requester, params.roomId, body.visibility);
    return { json: {} };
  },
});
