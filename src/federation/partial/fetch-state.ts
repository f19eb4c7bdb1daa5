/**
 * The room's state before our join, from the servers that are in the room: first the ids, then the events that are not here.
 * https://spec.matrix.org/v1.19/server-server-api/#retrieving-a-rooms-state
 */
import { MatrixError } from '../../matrix/errors.ts';
import type { RoomEvent } from '../../matrix/events/room-event.ts';
import type { EventId, ServerName } from '../../matrix/ids/ids.ts';
import { limits } from '../../platform/limits.ts';
import type { CheckedEvent } from '../../rooms/receive-event.ts';
import { FederationError } from '../federation-error.ts';
import { federationPath } from '../federation-path.ts';
import { type Gap, GapNotFilled } from '../receive/gap.ts';
import { applied } from '../receive/given-state.ts';
import { allCommitted } from '../receive/place-pdus.ts';
import { storeOutliers } from '../receive/store-outliers.ts';
import type { RemoteStateIds } from '../remote-rooms.ts';
import { AuthOrder } from './auth-order.ts';
import type { PartialContext, PartialProgress } from './context.ts';

export interface Fetching {
  readonly ctx: PartialContext;
  readonly gap: Gap;
  /** In the order in which they are asked. */
  readonly servers: readonly ServerName[];
  readonly signal: AbortSignal;
  readonly progress: PartialProgress;
  /** So many attempts were in vain that what nobody has is done without. */
  readonly isLastResort: boolean;
}

/** An answer, and what it is the state before. */
interface AnsweredIds extends RemoteStateIds {
  readonly server: ServerName;
  readonly eventId: EventId;
  /** Where that is our join's parent, and a state event: it, which is part of the state. */
  readonly own: EventId | undefined;
  /** The same, if it is not stored. */
  readonly parent: CheckedEvent | undefined;
}

/**
 * The events of the state, each stored. What no server gives, or none that is genuine, is not among them. Throws GapNotFilled and
 * FederationError; what was stored by then is not asked for again.
 */
export async function fetchState(fetching: Fetching, join: RoomEvent): Promise<EventId[]> {
  const { gap, progress, ctx, servers } = fetching;
  const { server: first, own, parent, ...ids } = await askForIds(fetching, join);
  const wanted = [...new Set([...ids.authChainIds, ...ids.stateIds])];
  progress.wanted = wanted.length;
  let missing = await missingOf(fetching, wanted);
  for (const server of [first, ...servers.filter((other) => other !== first)]) {
    if (missing.length <= limits.wholeStateSinglesMax) break;
    progress.server = server;
    await storeFrom(fetching, server, ids.eventId, wanted).catch((error: unknown) => noteFailure(progress, error));
    missing = await missingOf(fetching, wanted);
  }
  const lost = await storeSingles(fetching, missing);
  ctx.counters.events.add({ fate: 'missing' }, lost);
  if (parent !== undefined) await storeOutliers(gap, [parent.event.eventId], new Map([[parent.event.eventId, parent]]));
  const places = await gap.places(own === undefined ? ids.stateIds : [...ids.stateIds, own]);
  return applied([...places.values()], own === undefined ? undefined : places.get(own));
}

/**
 * A join that has one parent: whoever knows that one knows the state after it. Otherwise, and where that does not work, the state
 * before the join itself is asked for.
 */
async function askForIds(fetching: Fetching, join: RoomEvent): Promise<AnsweredIds> {
  let last: unknown = new GapNotFilled('no server is known that may know the state');
  for (const server of fetching.servers) {
    fetching.signal.throwIfAborted();
    fetching.progress.server = server;
    try {
      const [parentId, ...others] = join.prevEvents;
      const isOne = parentId !== undefined && others.length === 0;
      const after = isOne ? await idsAfter(fetching, server, parentId) : undefined;
      if (after !== undefined) return after;
      const ids = await idsBefore(fetching, server, join.eventId);
      return { server, eventId: join.eventId, own: undefined, parent: undefined, ...ids };
    } catch (error) {
      noteFailure(fetching.progress, error);
      last = error;
    }
  }
  throw last;
}

/** undefined: the server does not tell us of the event. */
async function idsAfter(fetching: Fetching, server: ServerName, eventId: EventId): Promise<AnsweredIds | undefined> {
  const { gap, signal } = fetching;
  try {
    const ids = await idsBefore(fetching, server, eventId);
    const known = (await gap.places([eventId])).get(eventId);
    if (known !== undefined)
      return { server, eventId, own: known.skey === null ? undefined : eventId, parent: undefined, ...ids };
    const [parent] = await gap.verified([await gap.ctx.remoteRooms.getEvent(server, eventId, { signal })]);
    if (parent?.event.eventId !== eventId) return undefined;
    const isState = parent.event.stateKey !== undefined;
    return { server, eventId, own: isState ? eventId : undefined, parent: isState ? parent : undefined, ...ids };
  } catch (error) {
    if (error instanceof FederationError && error.failure === 'answered') return undefined;
    throw error;
  }
}

function idsBefore({ gap, signal }: Fetching, server: ServerName, eventId: EventId): Promise<RemoteStateIds> {
  const options = { signal, timeoutMs: limits.wholeStateTimeoutMs };
  return gap.ctx.remoteRooms.stateIds(server, { roomId: gap.roomId, eventId }, options);
}

async function missingOf({ gap, progress }: Fetching, wanted: readonly EventId[]): Promise<EventId[]> {
  const known = await gap.places(wanted);
  progress.stored = known.size;
  return wanted.filter((eventId) => !known.has(eventId));
}

/** All that one server has of it, at once. Throws FederationError. */
async function storeFrom(
  fetching: Fetching,
  server: ServerName,
  eventId: EventId,
  wanted: readonly EventId[],
): Promise<void> {
  const { ctx, gap, signal } = fetching;
  const { body } = await ctx.client.requestBytes({
    destination: server,
    method: 'GET',
    path: federationPath`/_matrix/federation/v1/state/${gap.roomId}`,
    query: { event_id: eventId },
    timeoutMs: limits.wholeStateTimeoutMs,
    responseBytesMax: limits.wholeStateBytesMax,
    signal,
  });
  const known = [...(await gap.places(wanted)).keys()];
  // To tell what is known costs a hash for every event: where little is, verifying it again is less.
  const left = known.length * knownShare > wanted.length ? known : [];
  const state = await ctx.states.openState(body, gap.rules, left).catch((error: unknown) => {
    if (!(error instanceof MatrixError)) throw error;
    throw new FederationError(server, 'unusable', `a state that cannot be read: ${error.message}`, { cause: error });
  });
  const isWanted = new Set(wanted);
  const order = new AuthOrder(known);
  try {
    for (let at = 0; at < state.count; at += limits.wholeStateBatch) {
      signal.throwIfAborted();
      const ready: CheckedEvent[] = [];
      for (const { received } of await state.verify(at, at + limits.wholeStateBatch)) {
        if (!received.ok) ctx.counters.events.add({ fate: 'refused' });
        else if (received.event.roomId === gap.roomId && isWanted.has(received.event.eventId))
          ready.push(...order.add({ event: received.event, body: received.body }));
      }
      await store(fetching, ready);
    }
  } finally {
    state.close();
  }
  await storeRest(fetching, order.waiting());
}

const knownShare = 7;

async function store({ ctx, gap, progress }: Fetching, events: readonly CheckedEvent[]): Promise<void> {
  const { locks, dags } = gap.ctx.rooms;
  for (let at = 0; at < events.length; at += limits.wholeStateBatch) {
    const batch = events.slice(at, at + limits.wholeStateBatch);
    const stored = await locks.run(gap.roomId, async () => (await dags.openByNid(gap.room)).outliers(batch));
    await allCommitted(stored.map(({ ticket }) => ticket));
    const fresh = stored.filter(({ ticket }) => ticket !== undefined).length;
    progress.stored += fresh;
    ctx.counters.events.add({ fate: 'stored' }, fresh);
  }
}

/** What cites events that did not come with it. Those may be known here all the same; what is left is for another server, or is lost. */
async function storeRest(fetching: Fetching, waiting: readonly CheckedEvent[]): Promise<void> {
  if (waiting.length === 0) return;
  const cited = [...new Set(waiting.flatMap(({ event }) => event.authEvents))];
  const order = new AuthOrder((await fetching.gap.places(cited)).keys());
  await store(
    fetching,
    waiting.flatMap((checked) => order.add(checked)),
  );
}

/** One by one, with all that they cite. Gives how many cannot be had. Throws GapNotFilled where those are too many to be sure of it. */
async function storeSingles(
  { ctx, gap, progress, isLastResort }: Fetching,
  missing: readonly EventId[],
): Promise<number> {
  const some = missing.slice(0, limits.wholeStateSinglesMax);
  let lost = missing.length - some.length;
  if (lost > 0 && !isLastResort) throw new GapNotFilled(`${missing.length} events of the state could not be had`);
  for (const eventId of some) {
    try {
      await storeOutliers(gap, [eventId], new Map());
      progress.stored += 1;
      ctx.counters.events.add({ fate: 'stored' });
    } catch (error) {
      if (!(error instanceof GapNotFilled)) throw error;
      lost += 1;
    }
  }
  return lost;
}

/** Throws what is not a server's fault. */
function noteFailure(progress: PartialProgress, error: unknown): void {
  if (!(error instanceof FederationError) && !(error instanceof GapNotFilled)) throw error;
  progress.lastError = error.message;
}
