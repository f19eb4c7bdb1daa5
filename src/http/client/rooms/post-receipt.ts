/** POST /_matrix/client/v3/rooms/{roomId}/receipt/{receiptType}/{eventId} — https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3roomsroomidreceiptreceipttypeeventid */
import { invalidParam } from '../../../matrix/errors.ts';
import type { JsonValue } from '../../../matrix/json/json-value.ts';
import type { Rooms } from '../../../rooms/index.ts';
import { json, object, oneOf, optional } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { eventId, roomId } from './identifiers.ts';

export const postReceipt = defineEndpoint({
  operationId: 'postReceipt',
  method: 'POST',
  path: '/_matrix/client/v3/rooms/{roomId}/receipt/{receiptType}/{eventId}',
  auth: 'accessToken',
  rateLimit: 'signal',
  params: { roomId: roomId(), receiptType: oneOf('m.read', 'm.read.private', 'm.fully_read'), eventId: eventId() },
  query: {},
  body: object({ thread_id: optional(json()) }),
  async handle({ params, body, requester }, { rooms }: { rooms: Pick<Rooms, 'setReceipt' | 'setReadMarkers'> }) {
    const { roomId, receiptType, eventId } = params;
    const threadId = threadIdOf(body.thread_id);
    if (receiptType === 'm.fully_read') {
      if (threadId !== undefined) throw invalidParam('m.fully_read is not threaded');
      await rooms.setReadMarkers(requester, { roomId, fullyRead: eventId });
    } else await rooms.setReceipt(requester, roomId, receiptType, eventId, threadId);
    return { json: {} };
  },
});

/** The specification names the error. */
function threadIdOf(value: JsonValue | undefined): string | undefined {
  if (value !== undefined && typeof value !== 'string') throw invalidParam('thread_id must be a string');
  return value;
}
