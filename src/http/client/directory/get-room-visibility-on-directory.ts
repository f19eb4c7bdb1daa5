/** GET /_matrix/client/v3/directory/list/room/{roomId} — https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3directorylistroomroomid */
import type { Rooms } from '../../../rooms/index.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { roomId } from '../rooms/identifiers.ts';

export const getRoomVisibilityOnDirectory = defineEndpoint({
  operationId: 'getRoomVisibilityOnDirectory',
  method: 'GET',
  path: '/_matrix/client/v3/directory/list/room/{roomId}',
  auth: 'none',
  rateLimit: 'read',
  params: { roomId: roomId() },
  query: {},
  async handle({ params }, { rooms }: { rooms: Pick<Rooms, 'directoryVisibility'> }) {
    return { json: { visibility: await rooms.directoryVisibility(params.roomId) } };
  },
});
