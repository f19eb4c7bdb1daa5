/** What rooms need from others and must not import. The composition root hands the implementations over. */
import type { RoomId, UserId } from '../matrix/ids/ids.ts';
import type { InvitePermission } from '../matrix/invite-permission/invite-permission.ts';
import type { JsonObject } from '../matrix/json/json-value.ts';
import type { UnitBuilder } from '../storage/database.ts';

/** Whom users do not want to hear from; `accounts` implements it. */
export interface IgnoredSenders {
  of(reader: { readonly userId: UserId; readonly userNid: number }): Promise<ReadonlySet<string>>;
}

/** Who may invite local users; `accounts` implements it. */
export interface InvitePermissions {
  of(invited: { readonly userNid: number }): Promise<InvitePermission>;
  /** Whether invites of this user cannot be rejected, only accepted: those of the server itself. */
  mustBeAccepted(inviter: UserId): boolean;
}

/** Local users whose content was erased; `accounts` implements it. */
export interface Erasures {
  /** The position at which everything that the user had sent was erased for newcomers; undefined: it was not. From memory. */
  erasedSince(userId: UserId): number | undefined;
}

/** How much the files of a room may have together; `media` implements it. */
export interface RoomFiles {
  /** Whether there is anything to ask of an event with this content. From memory. */
  concerns(content: JsonObject): boolean;
  /** Rejects with 403 M_FORBIDDEN when what the event names would be too much. To be called with the room's lock held. */
  assertRoomFor(room: number, content: JsonObject): Promise<void>;
}

/** What local users may do now; `accounts` and the rate limiter implement it together. */
export interface Senders {
  /**
   * For what is sent in the name of a user who does not ask for it at this moment. Counts as one call of theirs.
   * Throws MatrixError: M_USER_SUSPENDED, M_USER_LOCKED, M_USER_DEACTIVATED, M_LIMIT_EXCEEDED.
   */
  assertMaySend(user: { readonly userId: UserId; readonly userNid: number }): Promise<void>;
}

/** Local users as rooms see them; `accounts` implements it. */
export interface Members {
  /** displayname and avatar_url as they stand in a membership event; {} where there is no profile. */
  memberProfile(userId: UserId): Promise<JsonObject>;
  /**
   * Gives a room what the user has set for another one: tags, that it is a direct chat, push rules. `work` gets the part of
   * a unit that writes it; until it is settled nobody else changes these settings, so that it must wait for the unit's commit.
   */
  withCopiedSettings(
    user: { readonly userId: UserId; readonly userNid: number },
    from: RoomNames,
    to: RoomNames,
    work: (write: (unit: UnitBuilder) => void) => Promise<void>,
  ): Promise<void>;
}
export interface RoomNames {
  readonly room: number;
  readonly roomId: RoomId;
}
