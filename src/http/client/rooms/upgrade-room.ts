/** POST /_matrix/client/v3/rooms/{roomId}/upgrade — https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3roomsroomidupgrade */
import type { Rooms } from '../../../rooms/index.ts';
import { arrayOf, object, string, withDefault } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { roomId } from './identifiers.ts';

export const upgradeRoom = defineEndpoint({
  operationId: 'upgradeRoom',
  method: 'POST',
  path: '/_matrix/client/v3/rooms/{roomId}/upgrade',
  auth: 'accessToken',
  rateLimit: 'create',
  refusedWhileSuspended: true,
  params: { roomId: roomId() },
  query: {},
  body: object({ new_version: string(), additional_creators: withDefault(arrayOf(string(), { max: 1000 }), []) }),
  async handle({ params, body, requester }, { rooms }: { rooms: Pick<Rooms, 'upgradeRoom' | 'roomVersion'> }) {
    const replacement = await rooms.upgradeRoom(requester, {
      roomId: params.roomId,
      rules: rooms.roomVersion(body.new_version),
      additionalCreators: body.additional_creators,
    });
    return { json: { replacement_room: replacement } };
  },
});
