/** What an event refers to. */
import type { CitedEvent } from '../../matrix/event-auth/state-independent.ts';
import type { RoomEvent } from '../../matrix/events/room-event.ts';
import type { EventId } from '../../matrix/ids/ids.ts';
import { createEventIdOfRoom } from '../../matrix/ids/room-id.ts';
import { EventFlag } from '../../storage/event-flags.ts';
import { MissingEvents } from './contract.ts';
import type { EventPlace } from './event-places.ts';
import type { HotRoom } from './hot-room.ts';
import type { RoomView } from './room-view.ts';

export interface References {
  /** Each auth event once. */
  readonly authNids: readonly number[];
  /** As the event names them, repetitions included: repeating one is against the rules. */
  readonly cited: readonly CitedEvent[];
  /** Parents that have a place. */
  readonly parents: ReadonlyMap<EventId, EventPlace>;
}

/** Throws MissingEvents: unknown auth events, and parents that have no place and no given state. */
export async function loadReferences(
  view: RoomView,
  event: RoomEvent,
  isGiven: (parentId: EventId) => boolean,
): Promise<References> {
  const authPlaces = await view.places([...new Set(event.authEvents)]);
  const parents = new Map([...(await view.places([...new Set(event.prevEvents)]))].filter(([, at]) => at.pos !== null));
  const missingAuth = [...missingCreate(view.room, event), ...event.authEvents.filter((id) => !authPlaces.has(id))];
  const missingParents = event.prevEvents.filter((eventId) => !parents.has(eventId) && !isGiven(eventId));
  if (missingAuth.length > 0 || missingParents.length > 0) throw new MissingEvents(missingAuth, missingParents);
  return { ...(await loadCited(view, event, authPlaces)), parents };
}

export async function loadCited(
  view: RoomView,
  event: RoomEvent,
  authPlaces: ReadonlyMap<EventId, EventPlace>,
): Promise<Pick<References, 'authNids' | 'cited'>> {
  const authNids = [...authPlaces.values()].map((place) => place.nid);
  const events = await view.events(authNids);
  const cited = event.authEvents.map((eventId) => {
    const place = authPlaces.get(eventId)!;
    return { event: events.get(place.nid)!, rejected: view.isRejected(place) };
  });
  return { authNids, cited };
}

/** Where the room id names the create event, nothing can be judged without it. */
export function missingCreate(room: HotRoom, event: RoomEvent): EventId[] {
  const isNeeded = room.rules.eventAuth.createEventIsRoomId && room.create === undefined && !room.isNamedAfter(event);
  return isNeeded ? [createEventIdOfRoom(room.roomId)] : [];
}

/** Whether it builds on a state that is still partial (R11). */
export function buildsOnPartial(
  event: RoomEvent,
  parents: ReadonlyMap<EventId, EventPlace>,
  isGiven: (parentId: EventId) => boolean,
): boolean {
  return event.prevEvents.some((eventId) => {
    const parent = parents.get(eventId);
    return !isGiven(eventId) && parent !== undefined && (parent.flags & EventFlag.partialState) !== 0;
  });
}
