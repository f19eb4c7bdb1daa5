import type { RoomEvent } from '../events/room-event.ts';
import type { EventId } from '../ids/ids.ts';
import type { RoomVersionRules } from '../room-versions/rules.ts';
import { powerLevelOf } from '../event-auth/power-levels.ts';
import { compareByTimeAndId } from './event-order.ts';
import { PriorityQueue } from './priority-queue.ts';

/**
 * "A power event is a state event with type m.room.power_levels or m.room.join_rules, or a state event with type
 * m.room.member where the membership is leave or ban and the sender does not match the state_key."
 *
 * As everywhere in the network, the first two must have the empty state_key: others mean nothing to a room.
 * https://spec.matrix.org/v1.19/rooms/v2/#definitions
 */
export function isPowerEvent(event: RoomEvent): boolean {
  if (event.type === 'm.room.power_levels' || event.type === 'm.room.join_rules') return event.stateKey === '';
  if (event.type !== 'm.room.member' || event.stateKey === undefined || event.stateKey === event.sender) return false;
  const { membership } = event.content;
  return membership === 'leave' || membership === 'ban';
}

/**
 * "The reverse topological power ordering of a set of events is the lexicographically smallest topological ordering based
 * on the DAG formed by auth events", earliest first.
 *
 * `event` must know the auth events of the events. `create` is the room's create event where auth events do not name it.
 */
export function reverseTopologicalPowerOrdering(
  events: Iterable<RoomEvent>,
  event: (eventId: EventId) => RoomEvent | undefined,
  rules: RoomVersionRules,
  create?: RoomEvent,
): RoomEvent[] {
  const levels = new Map<EventId, number>();
  const byId = new Map<EventId, RoomEvent>();
  for (const one of events) {
    byId.set(one.eventId, one);
    levels.set(one.eventId, senderPowerLevel(one, event, rules, create));
  }
  const levelOf = (one: RoomEvent): number => levels.get(one.eventId) ?? 0;
  const isSmaller = (x: RoomEvent, y: RoomEvent): boolean =>
    levelOf(x) !== levelOf(y) ? levelOf(x) > levelOf(y) : compareByTimeAndId(x, y) < 0;
  return smallestTopologicalOrder([...byId.values()], (one) => findAll(new Set(one.authEvents), byId), isSmaller);
}

/**
 * Kahn's algorithm: "at each step selecting, among all the candidate vertices, the smallest vertex". `dependencies` gives
 * those of the vertices that come before one.
 */
export function smallestTopologicalOrder<Vertex>(
  vertices: readonly Vertex[],
  dependencies: (vertex: Vertex) => readonly Vertex[],
  isSmaller: (x: Vertex, y: Vertex) => boolean,
): Vertex[] {
  const waitingFor = new Map<Vertex, number>();
  const dependants = new Map<Vertex, Vertex[]>(vertices.map((vertex) => [vertex, []]));
  const candidates = new PriorityQueue<Vertex>(isSmaller);
  for (const vertex of vertices) {
    const before = dependencies(vertex);
    waitingFor.set(vertex, before.length);
    for (const dependency of before) dependants.get(dependency)?.push(vertex);
    if (before.length === 0) candidates.push(vertex);
  }
  const order: Vertex[] = [];
  while (candidates.size > 0) {
    const vertex = candidates.pop() as Vertex;
    order.push(vertex);
    for (const dependant of dependants.get(vertex) ?? []) {
      const left = (waitingFor.get(dependant) ?? 0) - 1;
      waitingFor.set(dependant, left);
      if (left === 0) candidates.push(dependant);
    }
  }
  return order;
}

/** "x's sender has greater power level than y's sender, when looking at their respective auth_events" */
function senderPowerLevel(
  event: RoomEvent,
  find: (eventId: EventId) => RoomEvent | undefined,
  rules: RoomVersionRules,
  create: RoomEvent | undefined,
): number {
  let powerLevels: RoomEvent | undefined;
  let cited: RoomEvent | undefined;
  for (const id of event.authEvents) {
    const authEvent = find(id);
    if (authEvent?.stateKey !== '') continue;
    if (authEvent.type === 'm.room.power_levels') powerLevels ??= authEvent;
    else if (authEvent.type === 'm.room.create') cited ??= authEvent;
  }
  return powerLevelOf(event.sender, rules.eventFormat.createInAuthEvents ? cited : create, powerLevels, rules);
}

function findAll(ids: Iterable<EventId>, byId: ReadonlyMap<EventId, RoomEvent>): RoomEvent[] {
  const found: RoomEvent[] = [];
  for (const id of ids) {
    const event = byId.get(id);
    if (event !== undefined) found.push(event);
  }
  return found;
}
