/**
 * An event refers to events that are not known here: they are fetched, as far back as it is worth; for what lies behind them
 * the state is. https://spec.matrix.org/v1.19/server-server-api/#backfilling-and-retrieving-missing-events
 */
import type { RoomEvent } from '../../matrix/events/room-event.ts';
import type { EventId } from '../../matrix/ids/ids.ts';
import { limits } from '../../platform/limits.ts';
import type { CheckedEvent } from '../../rooms/receive-event.ts';
import { placesByIds, timelineBelow } from '../../storage/stores/room-graph-store.ts';
import { type Gap, GapNotFilled } from './gap.ts';
import { stateAfter, stateBefore } from './given-state.ts';
import { allCommitted, type Outcome, parentsFirst, placePdus, ticketOf } from './place-pdus.ts';
import { storeOutliers } from './store-outliers.ts';

/** How many are placed before others have their turn with the room; each of history waits for the one before to be on disk. */
const placedPerTurn = 50;
const historyPerTurn = 5;

export interface HistoryOptions {
  readonly backfill?: boolean;
  /** Of history: it stands together in the timeline, right before this event, and its state is likely to be similar. */
  readonly before?: EventId;
  /** Of history: where it begins. What lies behind events that are known already stands elsewhere, and is left out. */
  readonly from?: readonly EventId[];
  /** Order values that stay free between the two. */
  readonly apartBy?: number;
}

/**
 * Places the events, which were verified, with all that they lack; `backfill`: as history. What was placed is on disk when this
 * resolves. Throws GapNotFilled when something cannot be had: then some of it may be placed.
 */
export async function placeWithGap(
  gap: Gap,
  events: readonly CheckedEvent[],
  options: HistoryOptions = {},
): Promise<Outcome[]> {
  const all = new Map(events.map((one) => [one.event.eventId, one]));
  const pool = options.from === undefined ? all : await unknownBehind(gap, all, options.from);
  if (options.backfill !== true) await fetchMissing(gap, pool);
  const ordered = parentsFirst([...pool.values()]);
  // A state that is handed in brings most of what the events cite.
  const given = await givenStates(gap, ordered, options.backfill === true);
  await fetchAuthEvents(gap, ordered);
  return place(gap, ordered, given, options);
}

async function unknownBehind(
  gap: Gap,
  pool: ReadonlyMap<EventId, CheckedEvent>,
  from: readonly EventId[],
): Promise<Map<EventId, CheckedEvent>> {
  const places = await gap.places([...pool.keys()]);
  const found = new Map<EventId, CheckedEvent>();
  const next = [...from];
  for (let id = next.pop(); id !== undefined; id = next.pop()) {
    const one = pool.get(id);
    if (one === undefined || found.has(id) || (places.get(id)?.pos ?? null) !== null) continue;
    found.set(id, one);
    next.push(...one.event.prevEvents);
  }
  return found;
}

/** Adds ancestors to the pool until they meet what is known here, or it is enough. */
async function fetchMissing(gap: Gap, pool: Map<EventId, CheckedEvent>): Promise<void> {
  const dag = await gap.ctx.rooms.dags.openByNid(gap.room);
  const frontier = dag.frontier();
  const earliest = frontier.prevEvents.map(({ eventId }) => eventId);
  for (let question = 0; question < limits.gapQuestionsMax; question++) {
    const missing = await missingParents(gap, pool.values());
    if (missing.length === 0) return;
    const without = new Set(missing);
    const latest = [...pool.values()]
      .filter(({ event }) => event.prevEvents.some((id) => without.has(id)))
      .map(({ event }) => event);
    const depths = [frontier.depth, ...latest.map(({ depth }) => depth)];
    const wish = {
      roomId: gap.roomId,
      earliest,
      latest: latest.slice(0, limits.gapEventsPerQuestion).map(({ eventId }) => eventId),
      limit: limits.gapEventsPerQuestion,
      minDepth: Math.max(0, Math.min(...depths) - limits.gapEventsMax),
    };
    const answer = await gap.ask(
      async (server, options) => gap.verified(await gap.ctx.remoteRooms.missingEvents(server, wish, options)),
      (events) => events.some(({ event }) => without.has(event.eventId)),
    );
    if (answer === undefined) return;
    await addNew(gap, pool, answer);
    // Who gives fewer than every server may has no more: another question would be in vain.
    if (answer.length < limits.gapEventsGivenByAll || pool.size >= limits.gapEventsMax) return;
  }
}

async function addNew(gap: Gap, pool: Map<EventId, CheckedEvent>, events: readonly CheckedEvent[]): Promise<void> {
  const places = await gap.places(events.map(({ event }) => event.eventId));
  for (const one of events) {
    const { eventId } = one.event;
    const hasPlace = (places.get(eventId)?.pos ?? null) !== null;
    if (!hasPlace && pool.size < limits.gapEventsMax) pool.set(eventId, one);
  }
}

/** Parents that have no place here and are not among the events. */
async function missingParents(gap: Gap, events: Iterable<CheckedEvent>): Promise<EventId[]> {
  const all = [...events];
  const own = new Set(all.map(({ event }) => event.eventId));
  const parents = new Set(all.flatMap(({ event }) => event.prevEvents).filter((id) => !own.has(id)));
  const places = await gap.places([...parents]);
  return [...parents].filter((id) => (places.get(id)?.pos ?? null) === null);
}

/** Auth events that are neither known here nor among the events. */
async function fetchAuthEvents(gap: Gap, events: readonly CheckedEvent[]): Promise<void> {
  const own = new Map(events.map((one) => [one.event.eventId, one]));
  const atHand = new Map<EventId, CheckedEvent>();
  for (const { event } of events) {
    const wanted = event.authEvents.filter((id) => !own.has(id));
    const known = await gap.places(wanted);
    const missing = wanted.filter((id) => !known.has(id));
    if (missing.length === 0) continue;
    if (missing.some((id) => !atHand.has(id))) {
      const at = { roomId: gap.roomId, eventId: event.eventId };
      const chain = await gap.ask(async (server, options) =>
        gap.verified(await gap.ctx.remoteRooms.eventAuth(server, at, options)),
      );
      for (const one of chain ?? []) atHand.set(one.event.eventId, one);
    }
    await storeOutliers(gap, missing, new Map([...own, ...atHand]));
  }
}

/** Of parents that are still not known, the states after them. */
async function givenStates(
  gap: Gap,
  events: readonly CheckedEvent[],
  isHistory: boolean,
): Promise<Map<EventId, readonly EventId[]>> {
  const missing = await missingParents(gap, events);
  if (missing.length > limits.gapStatesMax)
    throw new GapNotFilled(`the states after ${missing.length} events would have to be asked for`);
  const given = new Map<EventId, readonly EventId[]>();
  for (const eventId of missing) {
    if (given.has(eventId)) continue;
    try {
      given.set(eventId, await stateAfter(gap, eventId));
    } catch (error) {
      // Whose history begins at the child knows the state before that one.
      const child = isHistory ? onlyChildOf(eventId, events, new Set(missing)) : undefined;
      if (!(error instanceof GapNotFilled) || child === undefined) throw error;
      const state = await stateBefore(gap, child.eventId);
      for (const parentId of child.prevEvents) given.set(parentId, state);
    }
  }
  return given;
}

/** One of those that refer to the event, where all of them refer to the same, and to nothing that is known here. */
function onlyChildOf(
  eventId: EventId,
  events: readonly CheckedEvent[],
  missing: ReadonlySet<EventId>,
): RoomEvent | undefined {
  const [first, ...others] = events.map(({ event }) => event).filter(({ prevEvents }) => prevEvents.includes(eventId));
  if (first === undefined || !first.prevEvents.every((id) => missing.has(id))) return undefined;
  const parents = new Set(first.prevEvents);
  const refersAlike = ({ prevEvents }: RoomEvent): boolean =>
    prevEvents.every((id) => parents.has(id)) || !prevEvents.some((id) => parents.has(id));
  const isAlike = parents.size === 1 || others.every(refersAlike);
  return isAlike ? first : undefined;
}

async function place(
  gap: Gap,
  ordered: readonly CheckedEvent[],
  given: ReadonlyMap<EventId, readonly EventId[]>,
  { backfill, before, apartBy = 0 }: HistoryOptions,
): Promise<Outcome[]> {
  const { ctx } = gap;
  const outcomes: Outcome[] = [];
  const perTurn = backfill === true ? historyPerTurn : placedPerTurn;
  const ords = before === undefined ? undefined : await historyOrds(gap, ordered, before, apartBy);
  const history = { ...(backfill === true ? { backfill } : {}), ords, near: before };
  for (let at = 0; at < ordered.length; at += perTurn) {
    const turn = await ctx.rooms.locks.run(gap.roomId, async () =>
      placePdus(ctx, await ctx.rooms.dags.openByNid(gap.room), ordered.slice(at, at + perTurn), {
        given,
        ...history,
      }),
    );
    await allCommitted(turn.map(ticketOf));
    outcomes.push(...turn);
  }
  return outcomes;
}

/** Side by side, in their order, as far as there is room. undefined: what they come before is not in the timeline. */
async function historyOrds(
  gap: Gap,
  ordered: readonly CheckedEvent[],
  before: EventId,
  apartBy: number,
): Promise<ReadonlyMap<EventId, number> | undefined> {
  const { db } = gap.ctx.rooms;
  const [after] = await db.all(placesByIds, { eventIds: [before] });
  if (after === undefined || after.ord === null) return undefined;
  const places = await gap.places(ordered.map(({ event }) => event.eventId));
  const added = ordered.filter(({ event }) => (places.get(event.eventId)?.pos ?? null) === null);
  const below = (await db.one(timelineBelow, { room: gap.room, ord: after.ord }))?.ord;
  const free = below === undefined ? Infinity : after.ord - below - 1 - added.length;
  const first = after.ord - Math.min(apartBy, Math.max(0, Math.floor(free / 2))) - added.length;
  return new Map(added.map(({ event }, index) => [event.eventId, first + index]));
}
