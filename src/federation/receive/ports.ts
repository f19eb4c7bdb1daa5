/** What receiving needs of others and must not import. The composition root hands the implementations over. */
import type { UserId } from '../../matrix/ids/ids.ts';

/** `presence` implements it. */
export interface PresenceReceiver {
  /** Of users of one other server. Those who are nobody's business here are left out. */
  receive(updates: readonly PresenceUpdate[]): Promise<void>;
}
export interface PresenceUpdate {
  readonly userId: UserId;
  readonly state: 'online' | 'unavailable' | 'offline';
  readonly statusMessage: string | undefined;
  readonly lastActiveAgoMs: number;
}
