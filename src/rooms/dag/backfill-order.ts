/** Where fetched history goes in the timeline: right before the earliest event that refers to it. */
import type { EventId } from '../../matrix/ids/ids.ts';
import { freeOrdBelow, missingRefsTo, oldestOfTimeline, timelineBelow } from '../../storage/stores/room-graph-store.ts';
import type { RoomView } from './room-view.ts';

/** undefined: nothing visible refers to it, and there is no timeline yet. `taken`: values that the unit gives to others. */
export async function backfillPlace(
  view: RoomView,
  eventId: EventId,
  taken: ReadonlySet<number> = new Set(),
): Promise<{ readonly ord: number; readonly notifySeq: number } | undefined> {
  const { db } = view.room.services;
  const { room } = view.room;
  const children = (await db.all(missingRefsTo, { eventIds: [eventId] })).map((ref) => ref.by_nid);
  const places = await view.room.places.findByNids(children);
  const ords = [...places.values()].map((place) => place.ord).filter((ord) => ord !== null);
  const child = ords.length > 0 ? Math.min(...ords) : (await db.one(oldestOfTimeline, { room }))?.ord;
  if (child === undefined) return undefined;
  // the nearest value that is free: usually the very next one
  let ord = (await db.one(freeOrdBelow, { room, ord: child }))?.ord ?? child - 1;
  while (taken.has(ord)) ord = (await db.one(freeOrdBelow, { room, ord: ord - 1 }))?.ord ?? ord - 1;
  return { ord, notifySeq: (await db.one(timelineBelow, { room, ord }))?.notify_seq ?? 0 };
}
