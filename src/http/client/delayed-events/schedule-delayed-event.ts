/** PUT /_matrix/client/v3/rooms/{roomId}/delayed_event/{eventType}/{txnId} — https://github.com/matrix-org/matrix-spec-proposals/pull/4140 (MSC4140) */
import type { DelayedEvents } from '../../../rooms/delayed-events/delayed-events.ts';
import { integer, jsonObject, object, optional, string } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { roomId } from '../rooms/identifiers.ts';
import { noDelay, stickyDuration } from '../rooms/send-options.ts';

export const scheduleDelayedEvent = defineEndpoint({
  operationId: 'scheduleDelayedEvent',
  method: 'PUT',
  path: '/_matrix/client/v3/rooms/{roomId}/delayed_event/{eventType}/{txnId}',
  alsoAt: ['/_matrix/client/unstable/org.matrix.msc4140/rooms/{roomId}/delayed_event/{eventType}/{txnId}'],
  auth: 'accessToken',
  rateLimit: 'send',
  refusedWhileSuspended: true,
  params: { roomId: roomId(), eventType: string({ maxBytes: 255 }), txnId: string({ maxBytes: 255 }) },
  query: { ...noDelay, ...stickyDuration },
  body: object({
    delay_ms: integer({ min: 1 }),
    state_key: optional(string({ maxBytes: 255 })),
    content: jsonObject(),
  }),
  async handle(
    { params, query, body, requester },
    { delayedEvents }: { delayedEvents: Pick<DelayedEvents, 'schedule'> },
  ) {
    const { roomId, eventType: type, txnId } = params;
    const delayId = await delayedEvents.schedule(requester, {
      roomId,
      type,
      stateKey: body.state_key,
      content: body.content,
      delayMs: body.delay_ms,
      stickyMs: query['org.matrix.msc4354.sticky_duration_ms'],
      transaction: { deviceNid: requester.deviceNid, path: `delayed_event/${roomId}/${type}`, txnId },
    });
    return { json: { delay_id: delayId } };
  },
});
