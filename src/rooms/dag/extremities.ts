/**
 * Forward extremities (R14): the counted events that no counted event refers to, looking through events that are not
 * counted. The rule does not depend on the order of arrival.
 */
import type { RoomEvent } from '../../matrix/events/room-event.ts';
import type { EventId } from '../../matrix/ids/ids.ts';
import type { UnitBuilder } from '../../storage/database.ts';
import { EventFlag } from '../../storage/event-flags.ts';
import {
  deleteExtremity,
  insertExtremity,
  insertMissingRef,
  missingRefsTo,
  replaceExtremity,
  setMissingRefsCounted,
} from '../../storage/stores/room-graph-store.ts';
import { type EventPlace, isCounted } from './event-places.ts';
import type { RoomView } from './room-view.ts';

export interface MissingRef {
  readonly eventId: EventId;
  readonly byNid: number;
  readonly counted: boolean;
}
/** Something visible builds on an event from now on, or no longer: what it refers to is hidden accordingly. */
export interface RefUpdate {
  readonly nid: number;
  readonly prevEvents: readonly EventId[];
  readonly counted: boolean;
}
export interface ExtremityUpdate {
  readonly extremities: ReadonlyMap<EventId, EventPlace>;
  readonly missingRefs: readonly MissingRef[];
  readonly refUpdates: readonly RefUpdate[];
}

/**
 * What placing an event does to the extremities. Sets `builtOn` on the places of uncounted events that something visible
 * builds on from now on, the event's own included, so that nobody looks through them twice.
 */
export async function updateExtremities(view: RoomView, event: RoomEvent, place: EventPlace): Promise<ExtremityUpdate> {
  const { room } = view;
  const refs = await room.services.db.all(missingRefsTo, { eventIds: [event.eventId] });
  const isBuiltOn = refs.some((ref) => ref.counted === 1);
  const counted = isCounted(place);
  const extremities = new Map(room.extremities);
  const missingRefs: MissingRef[] = [];
  if (!counted && !isBuiltOn) {
    for (const eventId of await withoutPlace(view, event.prevEvents))
      missingRefs.push({ eventId, byNid: place.nid, counted: false });
    return { extremities, missingRefs, refUpdates: [] };
  }
  const hidden = await hideParents(view, event.prevEvents);
  for (const eventId of hidden.counted) extremities.delete(eventId);
  for (const eventId of hidden.unplaced) missingRefs.push({ eventId, byNid: place.nid, counted: true });
  if (!counted) view.setPlace({ ...place, flags: place.flags | EventFlag.builtOn });
  else if (!isBuiltOn) extremities.set(place.eventId, place);
  return { extremities, missingRefs, refUpdates: hidden.refUpdates };
}

/**
 * Somebody comes back into a room that this server knows from earlier times: what was an extremity then has been built on
 * elsewhere, by events that are not known here, so that the newcomer stands for them.
 */
export function withoutOthers(update: ExtremityUpdate, place: EventPlace): ExtremityUpdate {
  const others = [...update.extremities.values()].filter(({ eventId }) => eventId !== place.eventId);
  const refs = others.map(({ eventId }) => ({ eventId, byNid: place.nid, counted: true }));
  return {
    ...update,
    extremities: new Map([[place.eventId, place]]),
    missingRefs: [...update.missingRefs, ...refs],
  };
}

/** The parents of something visible, seen through uncounted events, which are marked as built on. */
async function hideParents(
  view: RoomView,
  prevEvents: readonly EventId[],
): Promise<{
  readonly counted: ReadonlySet<EventId>;
  /** Of the parents themselves, those that have no place. */
  readonly unplaced: readonly EventId[];
  readonly refUpdates: readonly RefUpdate[];
}> {
  const counted = new Set<EventId>();
  const refUpdates: RefUpdate[] = [];
  const unplaced = await withoutPlace(view, prevEvents);
  let level = [...new Set(prevEvents)];
  while (level.length > 0) {
    const through: EventPlace[] = [];
    for (const place of (await view.places(level)).values()) {
      if (place.pos === null) continue;
      if (isCounted(place)) counted.add(place.eventId);
      else if ((place.flags & EventFlag.builtOn) === 0) through.push(place);
    }
    for (const place of through) view.setPlace({ ...place, flags: place.flags | EventFlag.builtOn });
    const events = await view.events(through.map((place) => place.nid));
    // it may have referred to events that came later: that they are hidden must outlive it
    for (const [nid, event] of events) refUpdates.push({ nid, prevEvents: event.prevEvents, counted: true });
    level = [...new Set([...events.values()].flatMap((event) => event.prevEvents))];
  }
  return { counted, unplaced, refUpdates };
}

/** Rows from one set of extremities to another; usually one is replaced. */
export function emitExtremities(
  unit: UnitBuilder,
  room: number,
  before: ReadonlyMap<EventId, EventPlace>,
  after: ReadonlyMap<EventId, EventPlace>,
): void {
  const gone = [...before.values()].filter((place) => !after.has(place.eventId));
  const added = [...after.values()].filter((place) => !before.has(place.eventId));
  while (gone.length > 0 && added.length > 0) {
    const [old, by] = [gone.pop()!, added.pop()!];
    unit.run(replaceExtremity, { room, nid: old.nid, byNid: by.nid }, { changes: 1 });
  }
  for (const { nid } of gone) unit.run(deleteExtremity, { room, nid }, { changes: 1 });
  for (const { nid } of added) unit.run(insertExtremity, { room, nid });
}

export function emitMissingRefs(unit: UnitBuilder, room: number, missingRefs: readonly MissingRef[]): void {
  for (const { eventId, byNid, counted } of missingRefs)
    unit.run(insertMissingRef, { eventId, byNid, room, counted: counted ? 1 : 0 });
}

export function emitRefUpdates(unit: UnitBuilder, refUpdates: readonly RefUpdate[]): void {
  for (const { nid, prevEvents, counted } of refUpdates)
    unit.run(setMissingRefsCounted, { byNid: nid, eventIds: [...prevEvents], counted: counted ? 1 : 0 });
}

async function withoutPlace(view: RoomView, eventIds: readonly EventId[]): Promise<EventId[]> {
  const places = await view.places(eventIds);
  return [...new Set(eventIds)].filter((eventId) => (places.get(eventId)?.pos ?? null) === null);
}
