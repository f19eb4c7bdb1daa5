/** What rooms need from others and must not import. The composition root hands the implementations over. */
import type { RoomEvent } from '../matrix/events/room-event.ts';
import type { EventId, RoomAlias, RoomId, ServerName, UserId } from '../matrix/ids/ids.ts';
import type { InvitePermission } from '../matrix/invite-permission/invite-permission.ts';
import type { JsonObject } from '../matrix/json/json-value.ts';
import type { RoomVersionRules } from '../matrix/room-versions/rules.ts';
import type { UnitBuilder } from '../storage/database.ts';
import type { RoomSummary } from './directory/room-summary.ts';
import type { SpaceChild } from './hierarchy/space-children.ts';

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

/** Memberships that are made with the help of other servers; `federation` implements it. Not to be called with a room's lock held. */
export interface RemoteMemberships {
  /**
   * Brings a local user into a room through one of the servers, tried in order, and stores the room's state as far as the user
   * needs it at once. `joined`: they are in the room; `resident`: somebody else of ours has come into it meanwhile, so that
   * the join is for this server to make. Errors: the other servers' M_FORBIDDEN, M_INCOMPATIBLE_ROOM_VERSION,
   * M_UNABLE_TO_AUTHORISE_JOIN, M_UNABLE_TO_GRANT_JOIN, M_NOT_FOUND, also when none of them can be reached; 502 M_UNKNOWN when none of them answered as they should.
   */
  join(request: RemoteJoinRequest): Promise<'joined' | 'resident'>;
  /** Asks to be invited. Nothing is stored here. Errors: as `join`. */
  knock(request: RemoteMembershipRequest): Promise<RemoteKnock>;
  /** Rejects an invite or takes a knock back. Nothing is stored here. undefined: no server took it. */
  leave(request: RemoteMembershipRequest): Promise<RemoteMembershipEvent | undefined>;
  /**
   * An invite with the signature of the invited user's server. Errors: that server's M_FORBIDDEN, M_INVITE_BLOCKED,
   * M_INCOMPATIBLE_ROOM_VERSION; 502 M_UNKNOWN when it did not answer as it should.
   */
  signInvite(invite: UnsignedInvite): Promise<SignedInvite>;
}
export interface RemoteMembershipRequest {
  readonly roomId: RoomId;
  readonly userId: UserId;
  /** Of the membership event. */
  readonly content: JsonObject;
  /** None of ours, each once. */
  readonly servers: readonly ServerName[];
}
export interface RemoteJoinRequest extends RemoteMembershipRequest {
  /** Somebody of ours is in the room, and nobody of them may let the user in: `resident` is no answer. */
  readonly needsOthers: boolean;
}
export interface RemoteMembershipEvent {
  readonly event: RoomEvent;
  /** The exact canonical JSON to keep. */
  readonly body: string;
  readonly rules: RoomVersionRules;
  /** Through which it was made. */
  readonly server: ServerName;
}
export interface RemoteKnock extends RemoteMembershipEvent {
  /** What the user is shown of the room. */
  readonly stripped: readonly JsonObject[];
}
export interface UnsignedInvite {
  readonly event: RoomEvent;
  readonly body: string;
  readonly rules: RoomVersionRules;
  /** Events by which the invited knows the room, in the format of federation. */
  readonly roomState: readonly JsonObject[];
}
export interface SignedInvite {
  readonly event: RoomEvent;
  readonly body: string;
}

/** Which local users may have to do with other servers; `federation` implements it. From memory, and each refusal is counted. */
export interface FederationRights {
  /** Whether there may be somebody who may not. */
  readonly isRestricted: boolean;
  mayFederate(userId: UserId): boolean;
  /** Throws 403 M_FORBIDDEN. `incoming`: another server asked for it. */
  assertMayFederate(userId: UserId, direction: 'incoming' | 'outgoing'): void;
  /** Throws 403 M_FORBIDDEN: the room does not federate, or somebody in it may not. */
  refuseRoom(direction: 'incoming' | 'outgoing', reason: 'room_not_federated' | 'user_not_allowed'): never;
}

/** Aliases of other servers; `federation` implements it. */
export interface RemoteAliases {
  /** Errors: M_NOT_FOUND when the alias leads nowhere, or its server does not answer. */
  resolve(alias: RoomAlias): Promise<{ readonly roomId: RoomId; readonly servers: readonly ServerName[] }>;
}

/** Servers that check what is sent into rooms; `federation` implements it. */
export interface PolicyServers {
  /**
   * The signature in unpadded Base64, not verified. Throws MatrixError: what the policy server says, or 502 M_UNKNOWN when it cannot be
   * asked. Asked again within a minute, of the same event, the answer is the same.
   */
  sign(question: PolicyQuestion): Promise<string>;
}
export interface PolicyQuestion {
  readonly server: ServerName;
  /** Which of our names asks. */
  readonly origin: ServerName;
  readonly event: RoomEvent;
}

/** Whether keys of identity servers count still; `federation` implements it. */
export interface KeyValidity {
  /** `validityUrl`: as a room names it. false, too, when it cannot be asked. */
  isValid(validityUrl: string, publicKey: string): Promise<boolean>;
}

/** What other servers tell of rooms that they know; `federation` implements it. Not to be called with a room's lock held. */
export interface RemoteSpaces {
  /** What a server told of a room lately; `nothing`: it did not; undefined: it was not asked lately. From memory. */
  recall(server: ServerName, roomId: RoomId): RemoteSpace | 'nothing' | undefined;
  /** Never rejects because of the other server: then it told nothing. */
  ask(server: ServerName, roomId: RoomId): Promise<RemoteSpace | 'nothing'>;
}
export interface RemoteSpace {
  readonly room: RemoteRoomPreview;
  /** Of a space: in the order in which they are shown. */
  readonly children: readonly SpaceChild[];
  /** What it told of some of the children. */
  readonly told: ReadonlyMap<RoomId, RemoteRoomPreview>;
  /** Children that this server has no way into. */
  readonly inaccessible: ReadonlySet<RoomId>;
}
/** A wire object. */
export type RemoteRoomPreview = RoomSummary & {
  readonly allowed_room_ids?: readonly RoomId[];
  readonly encryption?: string;
  readonly room_version?: string;
};

/** History that other servers have; `federation` implements it. Not to be called with a room's lock held. */
export interface RemoteHistory {
  /**
   * Fetches some of what comes before an event whose parents are not known here, and puts it into the timeline. Resolves when it
   * is there, when nobody had it, or when it takes too long; true: there is something new.
   */
  fetchBefore(gap: HistoryGap): Promise<boolean>;
  /**
   * The event closest to a time that another server knows of, fetched into the timeline; undefined: none that is closer than
   * `closerThanMs`, or it could not be had in time.
   */
  fetchByTime(question: HistoryByTime): Promise<EventId | undefined>;
}
export interface HistoryGap {
  readonly roomId: RoomId;
  /** The event before which something is missing. */
  readonly eventId: EventId;
  /** Its parents that have no place here. */
  readonly missing: readonly EventId[];
}
export interface HistoryByTime {
  readonly roomId: RoomId;
  /** In milliseconds since the Unix epoch. */
  readonly ts: number;
  readonly dir: 'f' | 'b';
  readonly closerThanMs: number;
  /** The event before which something is missing, in the nearest gap. */
  readonly gap: EventId;
}
