/** Which threads people follow. https://github.com/matrix-org/matrix-spec-proposals/pull/4306 (MSC4306, MSC4308) */
import { MatrixError, notFound } from '../matrix/errors.ts';
import type { EventId, RoomId } from '../matrix/ids/ids.ts';
import type { JsonObject } from '../matrix/json/json-value.ts';
import { limits } from '../platform/limits.ts';
import type { Database } from '../storage/database.ts';
import { threadAt } from '../storage/stores/thread-event-store.ts';
import {
  type ThreadSubscriptionRow,
  setThreadSubscription,
  subscribeAutomatically,
  threadSubscription,
  threadSubscriptionsBackwards,
} from '../storage/stores/thread-subscription-store.ts';
import { eventById } from '../storage/stores/timeline-store.ts';
import type { Actor, RoomsContext } from './context.ts';
import { formatRoomsToken } from './pagination-token.ts';
import { openVisibleEvent } from './visible-event.ts';

declare module '../storage/database.ts' {
  interface WakeKinds {
    /** Somebody follows a thread, or does so no longer. */
    'thread-subscription': { userNid: number; room: number; rootId: string; pos: number };
  }
}

export interface ThreadSubscription {
  /** A client made it, because of a mention. */
  readonly automatic: boolean;
}

/** Throws M_NOT_FOUND where there is no subscription, or the user may not see the thread. */
export async function getThreadSubscription(
  ctx: RoomsContext,
  actor: Actor,
  roomId: RoomId,
  threadRoot: EventId,
): Promise<ThreadSubscription> {
  const { dag } = await openVisibleEvent(ctx, actor, roomId, threadRoot);
  const row = await ctx.db.one(threadSubscription, { user: actor.userNid, room: dag.room, rootId: threadRoot });
  if (!isSubscribed(row)) throw notFound('You do not follow this thread');
  return { automatic: row?.state === 'automatic' };
}

/** Whether a user does, as push rules ask. */
export async function isFollowed(db: Database, user: number, room: number, rootId: string): Promise<boolean> {
  return isSubscribed(await db.one(threadSubscription, { user, room, rootId }));
}

/**
 * `cause`: the event of the thread because of which a client subscribes by itself; undefined: its user wants it so.
 * Throws M_NOT_FOUND; 400 M_NOT_IN_THREAD and 409 M_CONFLICTING_UNSUBSCRIPTION under their unstable names.
 */
export async function subscribeToThread(
  ctx: RoomsContext,
  actor: Actor,
  roomId: RoomId,
  threadRoot: EventId,
  cause: EventId | undefined,
): Promise<void> {
  const { dag } = await openVisibleEvent(ctx, actor, roomId, threadRoot);
  const thread: Thread = { user: actor.userNid, room: dag.room, rootId: threadRoot };
  const causePos = cause === undefined ? undefined : await posInThread(ctx, thread, cause);
  const before = await ctx.db.one(threadSubscription, thread);
  if (causePos === undefined) {
    if (before?.state !== 'manual') await setState(ctx, thread, 'manual');
    return;
  }
  if (isSubscribed(before)) return;
  if (before !== undefined && causePos <= before.pos)
    throw new MatrixError(
      409,
      `${unstable}.M_CONFLICTING_UNSUBSCRIPTION`,
      'The user has unsubscribed after this event',
    );
  await ctx.db.write((unit) => {
    const pos = unit.nextPos();
    // Who unsubscribes at the same moment has the last word.
    unit.run(subscribeAutomatically, { ...thread, causePos, pos });
    unit.wake({ kind: 'thread-subscription', userNid: thread.user, room: thread.room, rootId: thread.rootId, pos });
  }).committed;
}

/** Also where there is no subscription: no automatic one follows because of what is in the thread already. Throws M_NOT_FOUND. */
export async function unsubscribeFromThread(
  ctx: RoomsContext,
  actor: Actor,
  roomId: RoomId,
  threadRoot: EventId,
): Promise<void> {
  const { dag } = await openVisibleEvent(ctx, actor, roomId, threadRoot);
  await setState(ctx, { user: actor.userNid, room: dag.room, rootId: threadRoot }, 'none');
}

export interface ThreadSubscriptionRange {
  /** Position above which changes are wanted; -1: all. */
  readonly after: number;
  /** Position up to which changes are wanted. */
  readonly upTo: number;
  /** At most this many, and at most `limits.threadSubscriptionsMax`. */
  readonly limit: number;
}
export interface ThreadSubscriptionChanges {
  /** room id → thread root → what is true now */
  readonly subscribed: Readonly<Record<string, JsonObject>>;
  readonly unsubscribed: Readonly<Record<string, JsonObject>>;
  /** Token from which the changes that had no place can be had, in `prev_batch` or `end`; undefined: these are all. */
  readonly end: string | undefined;
}

/** The latest changes of one user's subscriptions in a range of the stream, one of each thread. */
export async function threadSubscriptionChanges(
  { db }: { readonly db: Pick<Database, 'all'> },
  userNid: number,
  { after, upTo, limit }: ThreadSubscriptionRange,
): Promise<ThreadSubscriptionChanges> {
  const rowsMax = Math.min(limit, limits.threadSubscriptionsMax);
  const found = await db.all(threadSubscriptionsBackwards, { user: userNid, after, upTo, limit: rowsMax + 1 });
  const rows = found.slice(0, rowsMax);
  const subscribed: Threads = {};
  const unsubscribed: Threads = {};
  for (const { room_id: roomId, root_id: rootId, state, pos } of rows) {
    if (state === 'none') (unsubscribed[roomId] ??= {})[rootId] = { bump_stamp: pos };
    else (subscribed[roomId] ??= {})[rootId] = { automatic: state === 'automatic', bump_stamp: pos };
  }
  const last = found.length > rows.length ? rows.at(-1) : undefined;
  return { subscribed, unsubscribed, end: last && formatRoomsToken(last.pos - 1) };
}
type Threads = Record<string, Record<string, JsonObject>>;

/**
 * `GET /thread_subscriptions`: a page of the changes, backwards. `from`, `to`: positions; undefined: the end, the beginning.
 * The answer is the response's body.
 */
export async function threadSubscriptionsPage(
  ctx: RoomsContext,
  { userNid }: Pick<Actor, 'userNid'>,
  { from, to, limit }: { readonly from: number | undefined; readonly to: number | undefined; readonly limit: number },
): Promise<JsonObject> {
  const upTo = from ?? ctx.db.committedPos();
  const { end, ...changes } = await threadSubscriptionChanges(ctx, userNid, { after: to ?? -1, upTo, limit });
  return { ...changes, ...(end === undefined ? {} : { end }) };
}

interface Thread {
  readonly user: number;
  readonly room: number;
  readonly rootId: EventId;
}

const isSubscribed = (row: ThreadSubscriptionRow | undefined): boolean => row !== undefined && row.state !== 'none';

async function setState(ctx: RoomsContext, thread: Thread, state: 'manual' | 'none'): Promise<void> {
  await ctx.db.write((unit) => {
    const pos = unit.nextPos();
    unit.run(setThreadSubscription, { ...thread, state, pos });
    unit.wake({ kind: 'thread-subscription', userNid: thread.user, room: thread.room, rootId: thread.rootId, pos });
  }).committed;
}

/** The position at which an event of the thread came in. A thread's root is not in it. */
async function posInThread(ctx: RoomsContext, { room, rootId }: Thread, eventId: EventId): Promise<number> {
  const row = await ctx.db.one(eventById, { eventId });
  const isInRoom = row !== undefined && row.room === room && row.ord !== null;
  const thread = isInRoom && row.ord !== null ? await ctx.db.one(threadAt, { room, ord: row.ord }) : undefined;
  if (row?.pos == null || thread?.root !== rootId)
    throw new MatrixError(400, `${unstable}.M_NOT_IN_THREAD`, 'The event is not in this thread');
  return row.pos;
}

const unstable = 'IO.ELEMENT.MSC4306';
