/** GET /_matrix/client/v1/mutual_rooms — https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1mutual_rooms */
import type { Rooms } from '../../../rooms/index.ts';
import { optional, string } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { userId } from '../rooms/identifiers.ts';

export const getMutualRooms = defineEndpoint({
  operationId: 'getMutualRooms',
  method: 'GET',
  path: '/_matrix/client/v1/mutual_rooms',
  auth: 'accessToken',
  rateLimit: 'read',
  params: {},
  query: { user_id: userId(), from: optional(string()) },
  async handle({ query, requester }, { rooms }: { rooms: Pick<Rooms, 'mutualRooms'> }) {
    const { joined, count, next } = await rooms.mutualRooms(requester, query.user_id, query.from);
    return { json: { joined, count, ...(next === undefined ? {} : { next_batch: next }) } };
  },
});
