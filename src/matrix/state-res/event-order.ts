/**
 * The tie-break of both orderings: "x's origin_server_ts is less than y's; or … x's event_id is less than y's".
 * https://spec.matrix.org/v1.19/rooms/v2/#definitions
 */
import type { RoomEvent } from '../events/room-event.ts';
import { compareCodePoints } from '../json/canonical-json.ts';

export function compareByTimeAndId(
  x: Pick<RoomEvent, 'originServerTs' | 'eventId'>,
  y: Pick<RoomEvent, 'originServerTs' | 'eventId'>,
): number {
  if (x.originServerTs !== y.originServerTs) return x.originServerTs < y.originServerTs ? -1 : 1;
  return compareCodePoints(x.eventId, y.eventId);
}
