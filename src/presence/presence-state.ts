/** What presence is made of. https://spec.matrix.org/v1.19/client-server-api/#presence */

export type PresenceState = 'online' | 'unavailable' | 'offline';

/** What others are told when it changes; how long ago the user was active goes with it and does not count as a change. */
export interface VisiblePresence {
  readonly state: PresenceState;
  readonly statusMessage: string | undefined;
}

/** The presence of a user as of a position of the stream. */
export interface ToldPresence extends VisiblePresence {
  readonly pos: number;
  /** Goes on being up to date. */
  readonly activity: Activity;
}

export interface Activity {
  /** When the user last did something of their own accord, on the monotonic clock. */
  lastActiveMs: number;
}

/** Somebody of whom it is known that they are not offline, or were not a moment ago. */
export interface SeenUser {
  readonly userNid: number;
  readonly activity: Activity;
  readonly statusMessage: string | undefined;
  /** Whether they may be online at all. */
  readonly isConnected: boolean;
  visible(nowMs: number): VisiblePresence;
  /** What was not heard of for too long is gone. */
  expire(nowMs: number): void;
  /** When the presence may next change by itself. */
  nextCheckMs(nowMs: number): number;
  disconnect(): void;
}

export function isSameVisible(a: VisiblePresence, b: VisiblePresence): boolean {
  return a.state === b.state && a.statusMessage === b.statusMessage;
}

export const absent: VisiblePresence = { state: 'offline', statusMessage: undefined };

declare module '../storage/database.ts' {
  interface WakeKinds {
    /** Others see the user otherwise from this position on. */
    presence: { readonly userNid: number; readonly pos: number; readonly told: ToldPresence };
  }
}
