/** POST /_matrix/federation/v1/publicRooms. https://spec.matrix.org/v1.19/server-server-api/#post_matrixfederationv1publicrooms */
import type { Rooms } from '../../../rooms/index.ts';
import { publicRoomsBody, publicRoomsQueryOf } from '../../client/directory/public-rooms-body.ts';
import { defineEndpoint } from '../../endpoint.ts';

export const queryPublicRooms = defineEndpoint({
  operationId: 'queryPublicRooms',
  method: 'POST',
  path: '/_matrix/federation/v1/publicRooms',
  auth: 'serverSignature',
  rateLimit: 'federation',
  params: {},
  query: {},
  body: publicRoomsBody,
  async handle({ body }, { rooms }: { rooms: Pick<Rooms, 'publicRooms'> }) {
    return { json: await rooms.publicRooms(publicRoomsQueryOf(body)) };
  },
});
