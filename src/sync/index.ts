/** /sync, version 3 and simplified sliding sync. https://spec.matrix.org/v1.19/client-server-api/#syncing */
import type { JsonObject } from '../matrix/json/json-value.ts';
import type { Timers } from '../platform/ports.ts';
import type { DeviceInboxes } from '../encryption/device-inboxes.ts';
import type { KeyCounts } from '../encryption/key-counts.ts';
import type { Presence } from '../presence/index.ts';
import type { Requester } from '../accounts/requester.ts';
import type { PresenceState } from '../presence/presence-state.ts';
import type { RoomsContext } from '../rooms/context.ts';
import type { Typing } from '../rooms/typing.ts';
import { Badges, type ReadOrds } from './badges.ts';
import { type Changing, Deadline } from './deadline.ts';
import { DeviceListNews, type DeviceLists } from './device-list-news.ts';
import { deviceKeysText } from './device-keys-text.ts';
import { EventFragments } from './event-fragments.ts';
import { type EventsRequest, readEventStream } from './event-stream.ts';
import { type InitialSyncRequest, readInitialSync } from './initial-sync.ts';
import { withoutIgnored } from './ignored-senders.ts';
import { LazyMembers } from './lazy-members.ts';
import type { SyncPushRules } from './ports.ts';
import { PresenceNews } from './presence-news.ts';
import { SlidingSync } from './sliding/index.ts';
import type { SlidingRequest } from './sliding/sliding-request.ts';
import { RoomTails } from './room-tails.ts';
import { RoomWatch } from './room-watch.ts';
import { StickyRooms } from './sticky-rooms.ts';
import { emptyResponse } from './sync-pass.ts';
import { type SyncContext, type SyncRequest, toDeviceSince } from './sync-request.ts';
import { type SyncUser, concernsDevice } from './sync-user.ts';
import { SyncUsers } from './sync-users.ts';
import { tryPass } from './try-pass.ts';

export interface Sync {
  /** JSON text of the response. Waits for news up to `timeoutMs`, unless there are some at once or the sync is an initial one. */
  sync(request: SyncRequest): Promise<string>;
  initialSync(request: InitialSyncRequest): Promise<JsonObject>;
  events(request: EventsRequest): Promise<JsonObject>;
  /** `GET /keys/changes`: whose device lists changed since a position. */
  deviceListChanges(requester: Pick<Requester, 'userNid'>, since: number): Promise<DeviceLists>;
  /** How many notifications are unread in all rooms of a user, each invite being one. */
  unreadOf(owner: Pick<Requester, 'userId' | 'userNid'>): Promise<number>;
  /** How far a user has read in a room. */
  readOrds(owner: Pick<Requester, 'userNid'>, room: number): Promise<ReadOrds>;
  /** JSON text of the answer. Waits as `sync` does. Errors: M_UNKNOWN_POS. */
  sliding(request: SlidingRequest): Promise<string>;
  /** What is written behind is on disk when it resolves. */
  close(): Promise<void>;
}

export interface SyncOptions {
  /** How many users are remembered whom no request holds. */
  readonly idleUsersMax?: number;
  /** How many rooms have their newest events in memory. */
  readonly tailsMax?: number;
  /** Absent: presence is switched off. */
  readonly presence?: Presence | undefined;
  /** What waits for devices. */
  readonly inboxes: DeviceInboxes;
  readonly keyCounts: KeyCounts;
  /** Is told of failures of work that nobody waits for. */
  readonly onFailed: (error: unknown) => void;
}

export function createSync(
  rooms: RoomsContext,
  typing: Typing,
  pushRules: SyncPushRules,
  timers: Timers,
  options: SyncOptions,
): Sync {
  const users = new SyncUsers(rooms.db, { soon: (run) => timers.soon(run), ...options });
  const presence = options.presence?.isEnabled === true ? new PresenceNews(users, rooms) : undefined;
  const ctx: SyncContext = {
    rooms,
    typing,
    users,
    tails: new RoomTails(rooms.db.committedPos(), options),
    watch: new RoomWatch(),
    sticky: new StickyRooms(rooms.db, rooms.clock),
    fragments: new EventFragments(rooms),
    lazyMembers: new LazyMembers(),
    pushRules,
    inboxes: options.inboxes,
    presence,
    deviceLists: new DeviceListNews(users, rooms, { soon: (run) => timers.soon(run) }),
    keyCounts: options.keyCounts,
  };
  const badges = new Badges(ctx);
  const sliding = new SlidingSync(ctx, timers, options.onFailed);
  const unfollow = rooms.db.onCommitted((commit) => {
    ctx.fragments.onCommit(commit);
    ctx.tails.onCommit(commit);
    ctx.users.onCommit(commit);
    sliding.onCommit(commit);
    ctx.watch.onCommit(commit);
    ctx.sticky.onCommit(commit);
    badges.onCommit(commit);
    presence?.onCommit(commit);
    ctx.deviceLists.onCommit(commit);
  });
  if (presence !== undefined) options.presence?.announceTo(presence);
  /** The user is kept up to date, and shows as being there, while the request is answered. */
  const during = <T>(
    requester: SyncRequest['requester'],
    setPresence: PresenceState,
    work: (user: SyncUser) => Promise<T>,
  ): Promise<T> =>
    ctx.users.hold(requester.userNid, (user) => {
      const syncEnded = options.presence?.syncBegan(requester, setPresence);
      return work(user).finally(syncEnded);
    });
  return {
    sync: (request) => during(request.requester, request.setPresence, (user) => answer(ctx, timers, request, user)),
    initialSync: (request) => during(request.requester, 'online', (user) => readInitialSync(ctx, request, user)),
    events: (request) => during(request.requester, 'online', (user) => readEventStream(ctx, timers, request, user)),
    deviceListChanges: ({ userNid }, since) =>
      ctx.users.hold(userNid, (user) => ctx.deviceLists.newsOf(user, { since, until: rooms.db.committedPos() })),
    sliding: (request) => during(request.requester, request.setPresence, (user) => sliding.answer(request, user)),
    async close() {
      unfollow();
      ctx.deviceLists.close();
      await sliding.close();
    },
    unreadOf: (owner) => badges.unreadOf(owner),
    readOrds: (owner, room) => badges.readOrds(owner, room),
  };
}

async function answer(ctx: SyncContext, timers: Timers, request: SyncRequest, user: SyncUser): Promise<string> {
  const since = knownSince(ctx, request.since);
  const { sessionsVersion } = user;
  const { deviceNid } = request.requester;
  await ctx.inboxes.acknowledge(deviceNid, toDeviceSince(request, since));
  const ownChanges: Changing = { onceChanged: (run) => user.onceChanged(run, concernsDevice(deviceNid)) };
  const deadline = Deadline.after(timers, request.timeoutMs, request.signal);
  try {
    for (;;) {
      const ignored = await ctx.rooms.ignored.of(request.requester);
      // Whoever has changed since is told at once; what changes while this pass runs is found by the next one.
      const changed = deadline.nextChange(ownChanges);
      const { pass, result } = await tryPass(ctx, withoutIgnored(ignored, request), user, since);
      if (!result.isEmpty) return result.text;
      if (since < 0 || request.fullState || deadline.isOver || user.sessionsVersion !== sessionsVersion)
        return emptyResponse(pass.now, deviceKeysText(await ctx.keyCounts.of(deviceNid)));
      await changed;
    }
  } finally {
    deadline.end();
  }
}

/**
 * -1 for an initial sync. A token from the future was given out by a database that is no more (an older backup was restored):
 * nothing of what its owner knows can be relied on.
 */
function knownSince(ctx: SyncContext, since: number | undefined): number {
  return since === undefined || since > ctx.rooms.db.committedPos() ? -1 : since;
}
