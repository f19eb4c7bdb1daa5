/** What accounts need from others and must not import. The composition root hands the implementations over. */
import type { UserId } from '../matrix/ids/ids.ts';
import type { JsonObject } from '../matrix/json/json-value.ts';
import type { UnitBuilder } from '../storage/database.ts';

/** `rooms` implements it. */
export interface ProfilePropagation {
  /**
   * Display name or avatar have changed: one membership event in each room where the person is joined.
   * https://spec.matrix.org/v1.19/client-server-api/#events-on-change-of-profile-information
   * `profile` has displayname and avatar_url as they stand in a membership event. Resolves when the change is on its way to
   * every room; a room that refuses it keeps no other from getting it.
   */
  profileChanged(userId: UserId, profile: JsonObject): Promise<void>;
}

/** Profiles of users of other servers; `federation` implements it. */
export interface RemoteProfiles {
  /**
   * What their server says of them, of one field alone if `field` is there: names and values of anybody's making.
   * Throws 404 M_NOT_FOUND, also when their server cannot be reached, 403 M_FORBIDDEN, or 502 M_UNKNOWN when it did not answer as it should.
   */
  load(userId: UserId, field: string | undefined): Promise<JsonObject>;
}

/** `rooms` implements it. */
export interface Departure {
  /**
   * Leaves every joined room, rejects invites and withdraws knocks, for an account that is no more. Safe to repeat: a start
   * after a crash does.
   */
  leaveAllRooms(userId: UserId): Promise<void>;
}

/** What other servers are told of devices; `federation` implements it. */
export interface OutgoingDevices {
  /** Part of a unit that changed what others see of these devices, after the user's device_change. */
  devicesChanged(unit: UnitBuilder, userNid: number, deviceIds: readonly string[]): void;
}

/** The rate limiter of the HTTP layer fits. */
export interface AttemptLimiter {
  /** Counts one attempt to log in to an account or to have an e-mail sent; 0, or in how many milliseconds the next one is allowed. */
  take(rateClass: AttemptClass, kind: 'account', who: string): number;
  /** The attempt was none that counts: the password was right. */
  giveBack(rateClass: AttemptClass, kind: 'account', who: string): void;
}
/** Wrong passwords, and e-mails to one mailbox. */
type AttemptClass = 'loginFailures' | 'accountFailures' | 'mailbox';
