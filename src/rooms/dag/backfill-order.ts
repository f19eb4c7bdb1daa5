/** Where fetched history goes in the timeline: right before the earliest event that refers to it. */
import type { EventId } from '../../matrix/ids/ids.ts';
import { freeOrdBelow, missingRefsTo, oldestOfTimeline, timelineBelow } from '../../storage/stores/room-graph-store.ts';
import type { RoomView } from './room-view.ts';

export interface HistoryPlace {
  readonly ord: number;
  readonly notifySeq: number;
}

/** undefined: nothing visible refers to it, and there is no timeline yet. `taken`: values that the unit gives to others. */
export async function backfillPlace(
  view: RoomView,
  eventId: EventId,
  taken: ReadonlySet<number> = new Set(),
): Promise<HistoryPlace | undefined> {
  const { db } = view.room.services;
  const { room } = view.room;
  const children = (await db.all(missingRefsTo, { eventIds: [eventId] })).map((ref) => ref.by_nid);
  const places = await view.room.places.findByNids(children);
  const ords = [...places.values()].map((place) => place.ord).filter((ord) => ord !== null);
  const child = ords.length > 0 ? Math.min(...ords) : (await db.one(oldestOfTimeline, { room }))?.ord;
  return child === undefined ? undefined : placeFrom(view, child - 1, taken);
}

/** At an order value, or at the nearest below that is free. */
export async function placeFrom(
  view: RoomView,
  ord: number,
  taken: ReadonlySet<number> = new Set(),
): Promise<HistoryPlace> {
  const { db } = view.room.services;
  const { room } = view.room;
  let free = await freeFrom(view, ord);
  while (taken.has(free)) free = await freeFrom(view, free - 1);
  return { ord: free, notifySeq: (await db.one(timelineBelow, { room, ord: free }))?.notify_seq ?? 0 };
}

async function freeFrom(view: RoomView, ord: number): Promise<number> {
  const { services, room } = view.room;
  const below = await services.db.one(timelineBelow, { room, ord: ord + 1 });
  if (below?.ord !== ord) return ord;
  return (await services.db.one(freeOrdBelow, { room, ord }))?.ord ?? ord - 1;
}
