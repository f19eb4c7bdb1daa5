/** One pass of sliding sync: the user's lists and what changed for them, as they were at one moment. */
import { type SyncFilter, parseSyncFilter } from '../../matrix/filters/sync-filter.ts';
import type { UserId } from '../../matrix/ids/ids.ts';
import { withoutIgnored } from '../ignored-senders.ts';
import type { SyncContext, SyncPass } from '../sync-request.ts';
import type { RoomNews, RoomStanding, SyncUser } from '../sync-user.ts';
import type { BumpStamps } from './bump-stamps.ts';
import { type Candidates, candidatesOf } from './candidates.ts';
import type { Connection, ListState } from './connection.ts';
import type { Connections } from './connections.ts';
import type { KnownRoomFacts } from './room-facts.ts';
import type { RoomConfig, SlidingRequest } from './sliding-request.ts';
import type { UserRooms } from './user-rooms.ts';
import { type Window, windowOf } from './window.ts';

export interface SlidingContext {
  readonly sync: SyncContext;
  readonly facts: KnownRoomFacts;
  readonly bumpStamps: BumpStamps;
  readonly connections: Connections;
}

export interface SlidingPass {
  readonly ctx: SlidingContext;
  readonly request: SlidingRequest;
  readonly connection: Connection;
  readonly user: SyncUser;
  readonly userRooms: UserRooms;
  readonly userId: UserId;
  readonly ignored: ReadonlySet<string>;
  readonly directRooms: ReadonlySet<string>;
  /** -1 for a connection that begins. */
  readonly since: number;
  readonly now: number;
  readonly nowMs: number;
  readonly windows: readonly Window[];
  readonly subscriptions: ReadonlyMap<number, RoomConfig>;
  readonly lists: ReadonlyMap<string, ListState>;
  /** Rooms that may have changed; of a connection that begins none is. */
  readonly news: readonly RoomNews[];
  readonly standings: ReadonlyMap<number, RoomStanding>;
  readonly globalsChanged: boolean;
}

/** Everything as it is at `now`, and the rooms that are to be looked at. */
export async function beginSlidingPass(
  ctx: SlidingContext,
  request: SlidingRequest,
  connection: Connection,
  userRooms: UserRooms,
): Promise<{ readonly pass: SlidingPass; readonly candidates: Candidates }> {
  const { rooms } = ctx.sync;
  const { user, userId } = userRooms;
  const ignored = await rooms.ignored.of(request.requester);
  const subscriptions = new Map<number, RoomConfig>();
  for (const [roomId, config] of request.subscriptions) {
    const dag = await rooms.dags.find(roomId);
    if (dag !== undefined) subscriptions.set(dag.room, config);
  }
  const directRooms = await userRooms.directRooms();
  await userRooms.settle(request.lists.map(({ filter, filterKey: key }) => ({ filter, key })));
  const since = connection.streamPos;
  const windows = request.lists.map((list) => windowOf(list, userRooms.filteredBy(list.filter, list.filterKey)));
  const pass: SlidingPass = {
    ctx,
    request,
    connection,
    user,
    userRooms,
    userId,
    ignored,
    directRooms,
    since,
    now: rooms.db.committedPos(),
    nowMs: rooms.clock.nowMs(),
    windows,
    subscriptions,
    lists: new Map(windows.map(({ list, count, version }) => [list.name, { count, version }])),
    news: since < 0 ? [] : user.newsAfter(since, false),
    standings: user.rooms,
    globalsChanged: user.hasGlobalsAfter(since),
  };
  return { pass, candidates: candidatesOf(pass) };
}

/** The same moment as /sync sees it, for one room: `since` is what the client knows of it. */
export function syncPassOf(pass: SlidingPass, timelineLimit: number, since: number): SyncPass {
  const { ctx, request, user, now, nowMs, ignored } = pass;
  const wish = {
    requester: request.requester,
    since: since < 0 ? undefined : since,
    fullState: false,
    setPresence: request.setPresence,
    filter: filterWith(timelineLimit),
    timeoutMs: 0,
    signal: request.signal,
  };
  return {
    ctx: ctx.sync,
    request: withoutIgnored(ignored, wish),
    user,
    since,
    toDeviceSince: now,
    now,
    nowMs,
    rooms: [],
    accountDataChanged: false,
    globalsChanged: pass.globalsChanged,
  };
}

const filters = new Map<number, SyncFilter>();

/** Of a timeline of at most so many events. There are few limits that clients ask for, and none above the greatest. */
export function filterWith(limit: number): SyncFilter {
  const known = filters.get(limit);
  if (known !== undefined) return known;
  const filter = parseSyncFilter({ room: { timeline: { limit } } });
  filters.set(limit, filter);
  return filter;
}
