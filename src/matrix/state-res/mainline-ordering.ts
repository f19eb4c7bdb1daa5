import type { RoomEvent } from '../events/room-event.ts';
import type { EventId } from '../ids/ids.ts';
import { compareByTimeAndId } from './event-order.ts';
import { ensureAtHand, type ResolutionSource, type ResolutionSteps } from './resolution-source.ts';

/**
 * "The mainline ordering based on P of a set of events is the ordering, from smallest to largest": the position in the
 * mainline of P where the event's own chain of power levels meets it, greatest position first, then time and event id.
 * https://spec.matrix.org/v1.19/rooms/v2/#definitions
 */
export function* mainlineOrdering(
  events: Iterable<RoomEvent>,
  powerLevels: RoomEvent | undefined,
  source: ResolutionSource,
): ResolutionSteps<RoomEvent[]> {
  const mainline = new Mainline(powerLevels, source);
  const positioned: { readonly event: RoomEvent; readonly position: number }[] = [];
  for (const event of events) positioned.push({ event, position: yield* mainline.positionOf(event) });
  positioned.sort((x, y) =>
    x.position === y.position ? compareByTimeAndId(x.event, y.event) : x.position > y.position ? -1 : 1,
  );
  return positioned.map(({ event }) => event);
}

/**
 * "The mainline of P_0 is the list of events [P_0, P_1, …, P_n]" where P_(i+1) is the power levels event in the auth
 * events of P_i. It is only followed as far as somebody asks.
 */
class Mainline {
  readonly #source: ResolutionSource;
  readonly #positions = new Map<EventId, number>();
  /** What belongs to the mainline next; undefined: it is complete. */
  #next: RoomEvent | undefined;
  /** Positions of the power levels events that the chains of other events went through. */
  readonly #known = new Map<EventId, number>();

  constructor(powerLevels: RoomEvent | undefined, source: ResolutionSource) {
    this.#next = powerLevels;
    this.#source = source;
  }

  /**
   * "Find the smallest index j ≥ 1 for which e_j belongs to the mainline of P. … e_j = P_i … Otherwise set i = ∞. The
   * mainline position of e is i."
   */
  *positionOf(event: RoomEvent): ResolutionSteps<number> {
    const passed = new Set<EventId>();
    let position = Infinity;
    let at = yield* powerLevelsAmongAuthEvents(event, this.#source);
    while (at !== undefined && !passed.has(at.eventId)) {
      const found = this.#known.get(at.eventId) ?? (yield* this.#find(at.eventId));
      if (found !== undefined) {
        position = found;
        break;
      }
      passed.add(at.eventId);
      at = yield* powerLevelsAmongAuthEvents(at, this.#source);
    }
    for (const id of passed) this.#known.set(id, position);
    return position;
  }

  *#find(eventId: EventId): ResolutionSteps<number | undefined> {
    while (this.#next !== undefined && !this.#positions.has(eventId)) {
      const next: RoomEvent = this.#next;
      this.#positions.set(next.eventId, this.#positions.size);
      const below = yield* powerLevelsAmongAuthEvents(next, this.#source);
      this.#next = below !== undefined && this.#positions.has(below.eventId) ? undefined : below;
    }
    return this.#positions.get(eventId);
  }
}

function* powerLevelsAmongAuthEvents(
  event: RoomEvent,
  source: ResolutionSource,
): ResolutionSteps<RoomEvent | undefined> {
  yield* ensureAtHand(source, event.authEvents, []);
  for (const id of event.authEvents) {
    const authEvent = source.event(id);
    if (authEvent?.type === 'm.room.power_levels' && authEvent.stateKey === '') return authEvent;
  }
  return undefined;
}
