/**
 * One request of simplified sliding sync, the same whichever shape it came in.
 * https://github.com/matrix-org/matrix-spec-proposals/blob/main/proposals/4186-simplified-sliding-sync.md
 */
import type { Requester } from '../../accounts/requester.ts';
import type { RoomId } from '../../matrix/ids/ids.ts';
import type { PresenceState } from '../../presence/presence-state.ts';
import type { RequiredState } from './required-state.ts';

/** How the answer is told: as the merged proposal says, or as it was in the experiment that current clients speak. */
export type SlidingShape = 'v4' | 'unstable';

export interface SlidingRequest {
  readonly requester: Pick<Requester, 'userId' | 'userNid' | 'deviceNid'>;
  readonly shape: SlidingShape;
  /** Empty where the client names none. */
  readonly connId: string;
  /** undefined: the connection starts anew. */
  readonly pos: string | undefined;
  readonly timeoutMs: number;
  readonly setPresence: PresenceState;
  readonly lists: readonly SlidingList[];
  readonly subscriptions: ReadonlyMap<RoomId, RoomConfig>;
  readonly extensions: SlidingExtensions;
  /** Equal for requests that ask for the same; positions and times are no part of it. */
  readonly signature: string;
  readonly signal: AbortSignal;
}

/** What is told of a room that matches a rule. */
export interface RoomConfig {
  readonly timelineLimit: number;
  readonly required: RequiredState;
}

export interface SlidingList extends RoomConfig {
  readonly name: string;
  /** Both ends are included; undefined: all rooms. */
  readonly ranges: readonly (readonly [number, number])[] | undefined;
  readonly filter: RoomFilter;
  /** Equal for filters that ask for the same in the same words; empty: for none. */
  readonly filterKey: string;
}

/** What is absent filters nothing. */
export interface RoomFilter {
  readonly isDm?: boolean | undefined;
  readonly isEncrypted?: boolean | undefined;
  readonly isInvite?: boolean | undefined;
  /** null: rooms without a type. */
  readonly roomTypes?: readonly (string | null)[] | undefined;
  readonly notRoomTypes?: readonly (string | null)[] | undefined;
  readonly roomNameLike?: string | undefined;
  readonly tags?: readonly string[] | undefined;
  readonly notTags?: readonly string[] | undefined;
  readonly spaces?: readonly RoomId[] | undefined;
}

/** Those that are asked for. */
export interface SlidingExtensions {
  readonly toDevice?: ToDeviceWish | undefined;
  readonly e2ee?: boolean | undefined;
  readonly threads?: ThreadsWish | undefined;
  readonly sticky?: StickyEventsWish | undefined;
  readonly accountData?: ExtensionScope | undefined;
  readonly receipts?: ExtensionScope | undefined;
  readonly typing?: ExtensionScope | undefined;
}

/** undefined: all. */
export interface ExtensionScope {
  readonly lists: ReadonlySet<string> | undefined;
  /** Of the rooms that are subscribed to, by their ids. */
  readonly rooms: ReadonlySet<string> | undefined;
}

export interface ToDeviceWish {
  /** The device has all messages up to here; undefined: none. */
  readonly since: number | undefined;
  readonly limit: number;
}

export interface StickyEventsWish {
  /** The device has all sticky events up to here; undefined: none. */
  readonly since: number | undefined;
  /** Of each room, the newest. */
  readonly limit: number;
  /** The name under which the client asks. */
  readonly name: string;
}

export interface ThreadsWish {
  readonly limit: number;
  /** The name under which the client asks. */
  readonly name: string;
}
