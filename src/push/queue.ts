/** What one pusher is still to be told: of any kind. */
import type { JsonObject } from '../matrix/json/json-value.ts';
import { limits } from '../platform/limits.ts';
import type { PusherRow } from '../storage/stores/pusher-store.ts';
import type { PushUser } from './push-user.ts';

/** An event that a user is notified of. */
export interface PendingPush {
  readonly room: number;
  readonly nid: number;
  readonly pos: number;
  readonly ord: number;
  readonly tweaks: JsonObject;
  /** When it happened, by our clock or its sender's. */
  readonly tsMs: number;
}

export interface Queue {
  readonly id: number;
  readonly user: PushUser;
  /** Events of the live stream concern it from above this position; those before are for whoever catches up. */
  readonly livePos: number;
  readonly row: PusherRow;
  readonly isEnabled: boolean;
  /** Position of the first event that it must still be told of. */
  readonly firstPendingPos: number | undefined;
  /** Whether its row says how far it is told, whatever becomes of what it is being told now. */
  readonly notesForItself: boolean;
  /** Whether the row says that it is behind. */
  isBehindOnDisk: boolean;

  /** The user has changed it. What waits is sent as it is now. */
  update(row: PusherRow): void;
  /** In the order of positions. */
  add(push: PendingPush): void;
  /** The same for what was found in any order and may be known already. */
  addEarlier(pushes: readonly PendingPush[]): void;
  /** How much is unread may have changed without an event to tell of. */
  tellUnread(unread: number): void;
  /** Tells what waits when it is time, unless it is doing so. */
  start(): void;
  /** The pusher is no more, or the server ends: nothing more is begun. Resolves when what was begun has ended. */
  close(): Promise<void>;
}

/** `pushes` among what waits, in order; what is told already, up to `toldPos`, and the oldest of too many are left out. */
export function withEarlier(
  pending: readonly PendingPush[],
  pushes: readonly PendingPush[],
  toldPos: number,
): PendingPush[] {
  const known = new Set(pending.map(({ pos }) => pos));
  const missing = pushes.filter(({ pos }) => pos > toldPos && !known.has(pos));
  return [...missing, ...pending].sort((a, b) => a.pos - b.pos).slice(-limits.pushesWaitingMax);
}
