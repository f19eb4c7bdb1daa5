/** Forward extremities after verdicts changed (R10, R14): only what those events stand between can have changed. */
import type { EventId } from '../../matrix/ids/ids.ts';
import { EventFlag } from '../../storage/event-flags.ts';
import { type EventPlace, isCounted } from './event-places.ts';
import type { RefUpdate } from './extremities.ts';
import type { Lineage } from './lineage.ts';
import type { RoomView } from './room-view.ts';

/** `changed`: places whose verdict changed, as they were. Sets builtOn on uncounted events in the view. */
export async function refoldExtremities(
  view: RoomView,
  lineage: Lineage,
  changed: readonly EventPlace[],
): Promise<{ readonly extremities: ReadonlyMap<EventId, EventPlace>; readonly refUpdates: readonly RefUpdate[] }> {
  const extremities = new Map(view.room.extremities);
  const refUpdates: RefUpdate[] = [];
  for (const before of await reachedThroughUncounted(view, changed)) {
    const place = view.placeOf(before);
    const isReferenced = await lineage.isReferenced(place);
    if (isCounted(place)) {
      if (isReferenced) extremities.delete(place.eventId);
      else extremities.set(place.eventId, place);
    } else {
      extremities.delete(place.eventId);
    }
    const flags =
      !isCounted(place) && isReferenced ? place.flags | EventFlag.builtOn : place.flags & ~EventFlag.builtOn;
    if (flags !== place.flags) view.setPlace({ ...place, flags });
    const counted = isCounted(place) || isReferenced;
    if (counted === hides(before)) continue;
    const event = (await view.events([place.nid])).get(place.nid)!;
    refUpdates.push({ nid: place.nid, prevEvents: event.prevEvents, counted });
  }
  return { extremities, refUpdates };
}

/** Whether what the event refers to cannot be an extremity because of it. */
function hides(place: EventPlace): boolean {
  return isCounted(place) || (place.flags & EventFlag.builtOn) !== 0;
}

/** The events and their parents, seen through uncounted ones, as they were before. */
async function reachedThroughUncounted(view: RoomView, changed: readonly EventPlace[]): Promise<EventPlace[]> {
  const reached = new Map(changed.map((place) => [place.eventId, place]));
  let level = [...changed];
  while (level.length > 0) {
    const events = await view.events(level.map((place) => place.nid));
    const parentIds = new Set([...events.values()].flatMap((event) => event.prevEvents));
    const parents = await view.room.places.find([...parentIds].filter((eventId) => !reached.has(eventId)));
    level = [];
    for (const parent of parents.values()) {
      if (parent.pos === null) continue;
      reached.set(parent.eventId, parent);
      if (!isCounted(view.placeOf(parent))) level.push(parent);
    }
  }
  return [...reached.values()];
}
