/** Events that are stored without a place: those of auth chains and of states that other servers hand in. */
import type { EventId } from '../../matrix/ids/ids.ts';
import { limits } from '../../platform/limits.ts';
import { MissingEvents } from '../../rooms/dag/contract.ts';
import { inCausalOrder } from '../../rooms/dag/causal-order.ts';
import type { CheckedEvent } from '../../rooms/receive-event.ts';
import type { UnitTicket } from '../../storage/database.ts';
import { type Gap, GapNotFilled } from './gap.ts';

/** How many are stored before others have their turn with the room. */
const outliersPerTurn = 100;

/**
 * Stores the events, and whatever their auth chains lack. `atHand`: events that were verified; what is not among them is asked for
 * one by one. They are on disk when this resolves. Throws GapNotFilled when something cannot be had.
 */
export async function storeOutliers(
  gap: Gap,
  wanted: readonly EventId[],
  atHand: ReadonlyMap<EventId, CheckedEvent>,
): Promise<void> {
  await store(gap, authFirst(await closure(gap, wanted, atHand)));
}

/** All that has to be stored. */
async function closure(
  gap: Gap,
  wanted: readonly EventId[],
  atHand: ReadonlyMap<EventId, CheckedEvent>,
): Promise<CheckedEvent[]> {
  const found = new Map<EventId, CheckedEvent>();
  const looked = new Set<EventId>();
  let fetches = 0;
  let next = [...new Set(wanted)];
  while (next.length > 0) {
    for (const id of next) looked.add(id);
    const known = await gap.places(next);
    const unknown = next.filter((id) => !known.has(id));
    const toFetch = unknown.filter((id) => !atHand.has(id));
    fetches += toFetch.length;
    if (fetches > limits.gapFetchesMax)
      throw new GapNotFilled(`${fetches} events would have to be asked for one by one`);
    const fetched = await fetchEvents(gap, toFetch);
    const level = unknown.map((id) => atHand.get(id) ?? fetched.get(id)!);
    for (const one of level) found.set(one.event.eventId, one);
    if (found.size > limits.remoteStateEventsMax) throw new GapNotFilled('there are too many events');
    next = [...new Set(level.flatMap(({ event }) => event.authEvents))].filter((id) => !looked.has(id));
  }
  return [...found.values()];
}

/** Throws GapNotFilled unless all of them came. */
async function fetchEvents(gap: Gap, eventIds: readonly EventId[]): Promise<Map<EventId, CheckedEvent>> {
  const fetched = new Map<EventId, CheckedEvent>();
  for (let at = 0; at < eventIds.length; at += limits.gapFetchesAtOnce) {
    const some = eventIds.slice(at, at + limits.gapFetchesAtOnce);
    await Promise.all(
      some.map(async (eventId) => {
        const event = await fetchEvent(gap, eventId);
        if (event === undefined) throw new GapNotFilled(`no server has given ${eventId}`);
        fetched.set(eventId, event);
      }),
    );
  }
  return fetched;
}

/** undefined: no server has given it. */
export async function fetchEvent(gap: Gap, eventId: EventId): Promise<CheckedEvent | undefined> {
  const answer = await gap.ask(
    async (server, options) => gap.verified([await gap.ctx.remoteRooms.getEvent(server, eventId, options)]),
    ([event]) => event?.event.eventId === eventId,
  );
  return answer?.[0];
}

/** Where ids are no hashes, events may cite each other in a circle: these come last, and are refused. */
function authFirst(events: readonly CheckedEvent[]): CheckedEvent[] {
  const numbered = events.map((checked, index) => ({
    place: { nid: index, pos: index },
    event: { eventId: checked.event.eventId, prevEvents: checked.event.authEvents },
    checked,
  }));
  return inCausalOrder(numbered, () => true).map(({ checked }) => checked);
}

async function store(gap: Gap, events: readonly CheckedEvent[]): Promise<void> {
  const { dags, locks } = gap.ctx.rooms;
  for (let at = 0; at < events.length; at += outliersPerTurn) {
    gap.signal?.throwIfAborted();
    const tickets = await locks.run(gap.roomId, async () => {
      const dag = await dags.openByNid(gap.room);
      const turn: (UnitTicket | undefined)[] = [];
      for (const { event, body } of events.slice(at, at + outliersPerTurn)) {
        try {
          turn.push((await dag.outlier(event, body)).ticket);
        } catch (error) {
          if (error instanceof MissingEvents) throw new GapNotFilled(`${event.eventId} cites what cannot be had`);
          throw error;
        }
      }
      return turn;
    });
    for (const ticket of tickets) await ticket?.committed;
  }
}
