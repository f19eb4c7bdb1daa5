/** What is told of one room, the same in whichever shape. */
import type { StateKey } from '../../storage/names.ts';
import type { UnreadCounts } from '../thread-counts.ts';

export interface Hero {
  readonly userId: string;
  readonly displayName: string | undefined;
  readonly avatarUrl: string | undefined;
}

export interface RoomResult {
  readonly room: number;
  readonly roomId: string;
  readonly membership: string;
  /** Names of the lists that show the room. */
  readonly lists: readonly string[];
  /** The client is to replace what it has of the room. */
  readonly isInitial: boolean;
  readonly isExpanded?: boolean | undefined;
  /** null: it was taken away; undefined: it is as it was. */
  readonly name?: string | null | undefined;
  readonly avatar?: string | null | undefined;
  readonly heroes?: readonly Hero[] | undefined;
  readonly isDm?: boolean | undefined;
  /** Events as JSON text. */
  readonly requiredState?: readonly string[] | undefined;
  /** Keys that the state has no longer. */
  readonly removedState?: readonly StateKey[] | undefined;
  readonly timeline?: TimelineResult | undefined;
  readonly joinedCount?: number | undefined;
  readonly invitedCount?: number | undefined;
  readonly unread?: UnreadCounts | undefined;
  readonly bumpStamp?: number | undefined;
  /** All events from here on were told. */
  readonly firstOrd?: number | undefined;
  /** JSON text of a list of events. */
  readonly strippedState?: string | undefined;
}

export interface TimelineResult {
  /** JSON text, oldest first. */
  readonly events: readonly string[];
  readonly isLimited: boolean;
  readonly prevBatch: string;
  /** The newest that many came in since the last answer. */
  readonly numLive: number;
}
