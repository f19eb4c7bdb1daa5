/** One request of /sync, decoded, and what it is answered with. */
import type { SyncFilter } from '../matrix/filters/sync-filter.ts';
import type { Requester } from '../accounts/requester.ts';
import type { DeviceInboxes } from '../encryption/device-inboxes.ts';
import type { PresenceState } from '../presence/presence-state.ts';
import type { RoomsContext } from '../rooms/context.ts';
import type { Typing } from '../rooms/typing.ts';
import type { KeyCounts } from '../encryption/key-counts.ts';
import type { DeviceListNews } from './device-list-news.ts';
import type { EventFragments } from './event-fragments.ts';
import type { LazyMembers } from './lazy-members.ts';
import type { PresenceNews } from './presence-news.ts';
import type { SyncPushRules } from './ports.ts';
import type { RoomWatch } from './room-watch.ts';
import type { StickyRooms } from './sticky-rooms.ts';
import type { RoomTails } from './room-tails.ts';
import type { RoomNews, SyncUser } from './sync-user.ts';
import type { SyncUsers } from './sync-users.ts';

export interface SyncContext {
  readonly rooms: RoomsContext;
  readonly typing: Typing;
  readonly users: SyncUsers;
  readonly tails: RoomTails;
  readonly watch: RoomWatch;
  readonly sticky: StickyRooms;
  readonly fragments: EventFragments;
  readonly lazyMembers: LazyMembers;
  readonly pushRules: SyncPushRules;
  readonly inboxes: DeviceInboxes;
  /** undefined: presence is switched off. */
  readonly presence: PresenceNews | undefined;
  readonly deviceLists: DeviceListNews;
  readonly keyCounts: KeyCounts;
}

/**
 * What the state of a room is told as: as of the start of the timeline (`state`), or as of its end, under its name of v1.16 or
 * its older one. https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3sync
 */
export type StateField = 'state' | 'state_after' | 'org.matrix.msc4222.state_after';

export interface SyncRequest {
  readonly requester: Pick<Requester, 'userId' | 'userNid' | 'deviceNid'>;
  /** Position of the `since` token; undefined: an initial sync. */
  readonly since: number | undefined;
  /** Up to where the device has its messages; absent: `since`. */
  readonly toDeviceSince?: number;
  readonly fullState: boolean;
  /** Absent: `state`. */
  readonly stateField?: StateField;
  readonly setPresence: PresenceState;
  readonly filter: SyncFilter;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/**
 * One pass over what changed, up to a fixed position. What the user's memberships and changes were at that position was
 * noted at that moment: commits go on while the pass reads.
 */
export interface SyncPass {
  readonly ctx: SyncContext;
  readonly request: SyncRequest;
  readonly user: SyncUser;
  /** -1 for an initial sync. */
  readonly since: number;
  /** The messages that came for the device after it are told. */
  readonly toDeviceSince: number;
  readonly now: number;
  readonly nowMs: number;
  /** Rooms that may have changed. */
  readonly rooms: readonly RoomNews[];
  readonly accountDataChanged: boolean;
  readonly globalsChanged: boolean;
}

/** To be called without any wait after the user was found, or was woken. */
export function beginPass(ctx: SyncContext, request: SyncRequest, user: SyncUser, since: number): SyncPass {
  return {
    ctx,
    request,
    user,
    since,
    toDeviceSince: toDeviceSince(request, since),
    now: ctx.rooms.db.committedPos(),
    nowMs: ctx.rooms.clock.nowMs(),
    rooms: user.newsAfter(since, since < 0 || request.fullState),
    accountDataChanged: user.hasAccountDataAfter(since),
    globalsChanged: user.hasGlobalsAfter(since),
  };
}

/** What the device says it has of its messages; -1 for an initial sync, which says nothing. */
export function toDeviceSince(request: Pick<SyncRequest, 'toDeviceSince'>, since: number): number {
  return since < 0 ? -1 : (request.toDeviceSince ?? since);
}
