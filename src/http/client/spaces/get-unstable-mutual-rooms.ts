/**
 * GET /_matrix/client/unstable/uk.half-shot.msc2666/user/mutual_rooms, as clients ask for it that do not know v1.19 yet.
 * https://github.com/matrix-org/matrix-spec-proposals/blob/main/proposals/2666-get-rooms-in-common.md
 */
import type { Rooms } from '../../../rooms/index.ts';
import { optional, string } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { userId } from '../rooms/identifiers.ts';

export const getUnstableMutualRooms = defineEndpoint({
  operationId: 'getUnstableMutualRooms',
  method: 'GET',
  path: '/_matrix/client/unstable/uk.half-shot.msc2666/user/mutual_rooms',
  auth: 'accessToken',
  rateLimit: 'read',
  params: {},
  // Before the proposal was accepted, tokens had other names.
  query: { user_id: userId(), from: optional(string()), batch_token: optional(string()) },
  async handle({ query, requester }, { rooms }: { rooms: Pick<Rooms, 'mutualRooms'> }) {
    const { joined, count, next } = await rooms.mutualRooms(requester, query.user_id, query.from ?? query.batch_token);
    return { json: { joined, count, ...(next === undefined ? {} : { next_batch: next, next_batch_token: next }) } };
  },
});
