/** PUT /_matrix/client/v1/rooms/{roomId}/thread/{eventId}/subscription — https://github.com/matrix-org/matrix-spec-proposals/pull/4306 (MSC4306) */
import type { Rooms } from '../../../rooms/index.ts';
import { object, optional } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { eventId, roomId } from '../rooms/identifiers.ts';

export const subscribeToThread = defineEndpoint({
  operationId: 'subscribeToThread',
  method: 'PUT',
  path: '/_matrix/client/unstable/io.element.msc4306/rooms/{roomId}/thread/{eventId}/subscription',
  auth: 'accessToken',
  rateLimit: 'signal',
  params: { roomId: roomId(), eventId: eventId() },
  query: {},
  body: object({ automatic: optional(eventId()) }),
  async handle({ params, body, requester }, { rooms }: { rooms: Pick<Rooms, 'subscribeToThread'> }) {
    await rooms.subscribeToThread(requester, params.roomId, params.eventId, body.automatic);
    return { json: {} };
  },
});
