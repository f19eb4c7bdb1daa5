/**
 * What differs between room versions, as data. A room version is one value of this type (see table.ts); code asks for a
 * flag and never compares version strings.
 * https://spec.matrix.org/v1.19/rooms/
 */
export type RoomVersionId = SpecifiedRoomVersionId | ExperimentalRoomVersionId;
export type SpecifiedRoomVersionId = '1' | '2' | '3' | '4' | '5' | '6' | '7' | '8' | '9' | '10' | '11' | '12';
export type ExperimentalRoomVersionId = 'org.matrix.msc3757.10';

export interface RoomVersionRules {
  readonly version: RoomVersionId;
  readonly disposition: 'stable' | 'unstable';
  /**
   * opaque: `$opaque:domain`, a field of the event. reference-hash: `$` and the reference hash in unpadded base64.
   * url-safe-reference-hash: the same in URL-safe unpadded base64.
   */
  readonly eventIdFormat: 'opaque' | 'reference-hash' | 'url-safe-reference-hash';
  /** opaque: `!opaque:domain`. create-event-id: the id of the create event with `!` for `$`. */
  readonly roomIdFormat: 'opaque' | 'create-event-id';
  /** Entries of prev_events and auth_events: `[event_id, {sha256}]` or the event id alone. */
  readonly referenceFormat: 'id-and-hash' | 'id';
  readonly stateResolution: StateResolutionRules;
  /** A signing key must have been valid at the event's origin_server_ts. */
  readonly enforceKeyValidity: boolean;
  /** Events that are not canonical JSON (floats, integers beyond ±(2^53−1)) are refused. */
  readonly strictCanonicalJson: boolean;
  readonly eventFormat: EventFormatRules;
  readonly signatures: SignatureRules;
  readonly eventAuth: EventAuthRules;
  readonly redaction: RedactionRules;
}

export type StateResolutionRules =
  | { readonly algorithm: 'v1' }
  | {
      readonly algorithm: 'v2';
      /** The first iterative auth checks start from the empty state map instead of the unconflicted one (v2.1). */
      readonly startFromEmptyState: boolean;
      /** The full conflicted set contains the conflicted state subgraph (v2.1). */
      readonly considerConflictedSubgraph: boolean;
    };

export interface EventFormatRules {
  /** The PDU carries its own `event_id`. */
  readonly eventIdField: boolean;
  /** Where `m.room.redaction` names the redacted event: at the top level of the event or in its content. */
  readonly redactsIn: 'event' | 'content';
  /** `m.room.create` has no `room_id`, because the room id is made from it. */
  readonly createWithoutRoomId: boolean;
  /**
   * type and state_key of an event of another server have at most 255 bytes, or it is dropped. Otherwise at most 255 code points, and
   * with more bytes than that it is rejected: servers that counted code points made such events, and others refer to them.
   */
  readonly strictByteLimits: boolean;
  /** `m.room.create` is one of the auth events of the other events; otherwise it must not be. */
  readonly createInAuthEvents: boolean;
}

/** Signatures that are required besides that of the sender's server. */
export interface SignatureRules {
  /** The server in the event id must have signed. */
  readonly eventIdServer: boolean;
  /** The server of content.join_authorised_via_users_server must have signed a join. */
  readonly joinAuthorisingServer: boolean;
}

export interface EventAuthRules {
  /** `m.room.aliases` has a rule of its own: state_key is the sender's server. */
  readonly specialCaseAliases: boolean;
  /** `m.room.redaction` is judged by the authorisation rules; later it is judged when it is applied. */
  readonly specialCaseRedaction: boolean;
  /** content.notifications of `m.room.power_levels` is protected like content.events. */
  readonly notificationsPowerLevels: boolean;
  /** Membership `knock` and join rule `knock`. */
  readonly knock: boolean;
  /** Join rule `restricted` and content.join_authorised_via_users_server. */
  readonly restricted: boolean;
  /** Join rule `knock_restricted`. */
  readonly knockRestricted: boolean;
  /**
   * What a power level may be. integer-like: also a string that holds an integer. number-like: also a float, which is
   * truncated.
   */
  readonly powerLevelValues: 'number-like' | 'integer-like' | 'integer';
  /** Who created the room: content.creator or the sender of `m.room.create`. */
  readonly creatorFrom: 'content' | 'sender';
  /** The room id is the create event's id, so the create event is found by it and not through auth_events. */
  readonly createEventIsRoomId: boolean;
  /**
   * A state key that begins with a user id belongs to that user, whatever follows behind `_`; who has more power may set it,
   * too (MSC3757).
   */
  readonly ownedState: boolean;
  /** Creators have infinite power and are never named in `m.room.power_levels`. */
  readonly privilegedCreators: boolean;
  /** content.additional_creators of `m.room.create` names further creators. */
  readonly additionalCreators: boolean;
}

export interface RedactionRules {
  /** Keys of the event that stay. */
  readonly eventKeys: readonly string[];
  /**
   * Per event type, what stays of the content: everything, or these paths. A type that is not listed keeps nothing.
   * Types come from outside: look them up with Object.hasOwn.
   */
  readonly contentKeys: Readonly<Record<string, 'all' | readonly ContentPath[]>>;
}

/** A property of content: `['membership']`, or one inside an object: `['third_party_invite', 'signed']`. */
export type ContentPath = readonly [string, ...string[]];
