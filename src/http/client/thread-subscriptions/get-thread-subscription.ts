/** GET /_matrix/client/v1/rooms/{roomId}/thread/{eventId}/subscription — https://github.com/matrix-org/matrix-spec-proposals/pull/4306 (MSC4306) */
import type { Rooms } from '../../../rooms/index.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { eventId, roomId } from '../rooms/identifiers.ts';

export const getThreadSubscription = defineEndpoint({
  operationId: 'getThreadSubscription',
  method: 'GET',
  path: '/_matrix/client/unstable/io.element.msc4306/rooms/{roomId}/thread/{eventId}/subscription',
  auth: 'accessToken',
  rateLimit: 'read',
  params: { roomId: roomId(), eventId: eventId() },
  query: {},
  async handle({ params, requester }, { rooms }: { rooms: Pick<Rooms, 'threadSubscription'> }) {
    const { automatic } = await rooms.threadSubscription(requester, params.roomId, params.eventId);
    return { json: { automatic } };
  },
});
