/**
 * An event refers to events that are not known here: they are fetched, as far back as it is worth; for what lies behind them
 * the state is. https://spec.matrix.org/v1.19/server-server-api/#backfilling-and-retrieving-missing-events
 */
import type { EventId } from '../../matrix/ids/ids.ts';
import { limits } from '../../platform/limits.ts';
import type { CheckedEvent } from '../../rooms/receive-event.ts';
import { type Gap, GapNotFilled } from './gap.ts';
import { stateAfter } from './given-state.ts';
import { allCommitted, type Outcome, parentsFirst, placePdus, ticketOf } from './place-pdus.ts';
import { storeOutliers } from './store-outliers.ts';

/** How many are placed before others have their turn with the room. */
const placedPerTurn = 50;

/**
 * Places the events, which were verified, with all that they lack; `backfill`: as history. What was placed is on disk when this
 * resolves. Throws GapNotFilled when something cannot be had: then some of it may be placed.
 */
export async function placeWithGap(
  gap: Gap,
  events: readonly CheckedEvent[],
  { backfill = false }: { readonly backfill?: boolean } = {},
): Promise<Outcome[]> {
  const pool = new Map(events.map((one) => [one.event.eventId, one]));
  if (!backfill) await fetchMissing(gap, pool);
  const ordered = parentsFirst([...pool.values()]);
  await fetchAuthEvents(gap, ordered);
  const given = await givenStates(gap, ordered);
  return place(gap, ordered, given, backfill);
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
    if (pool.size >= limits.gapEventsMax) return;
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
async function givenStates(gap: Gap, events: readonly CheckedEvent[]): Promise<Map<EventId, readonly EventId[]>> {
  const missing = await missingParents(gap, events);
  if (missing.length > limits.gapStatesMax)
    throw new GapNotFilled(`the states after ${missing.length} events would have to be asked for`);
  const given = new Map<EventId, readonly EventId[]>();
  for (const eventId of missing) given.set(eventId, await stateAfter(gap, eventId));
  return given;
}

async function place(
  gap: Gap,
  ordered: readonly CheckedEvent[],
  given: ReadonlyMap<EventId, readonly EventId[]>,
  backfill: boolean,
): Promise<Outcome[]> {
  const { ctx } = gap;
  const outcomes: Outcome[] = [];
  for (let at = 0; at < ordered.length; at += placedPerTurn) {
    const turn = await ctx.rooms.locks.run(gap.roomId, async () =>
      placePdus(ctx, await ctx.rooms.dags.openByNid(gap.room), ordered.slice(at, at + placedPerTurn), {
        given,
        ...(backfill ? { backfill } : {}),
      }),
    );
    await allCommitted(turn.map(ticketOf));
    outcomes.push(...turn);
  }
  return outcomes;
}
