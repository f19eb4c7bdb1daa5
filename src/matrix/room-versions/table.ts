/** Room versions 1 to 12 as values: each is the previous one with its changes. */
import type {
  ContentPath,
  EventAuthRules,
  RedactionRules,
  RoomVersionId,
  RoomVersionRules,
  ExperimentalRoomVersionId,
  SpecifiedRoomVersionId,
} from './rules.ts';

/**
 * The rules of a room version; undefined: this server does not know it.
 * https://spec.matrix.org/v1.19/rooms/#complete-list-of-room-versions
 */
export function findRoomVersion(id: string): RoomVersionRules | undefined {
  return byId.get(id);
}

const keys = (...names: readonly string[]): readonly ContentPath[] => names.map((name) => [name]);

/** https://spec.matrix.org/v1.19/rooms/v1/#redactions */
const redactionV1: RedactionRules = {
  eventKeys: [
    'event_id',
    'type',
    'room_id',
    'sender',
    'state_key',
    'content',
    'hashes',
    'signatures',
    'depth',
    'prev_events',
    'prev_state',
    'auth_events',
    'origin',
    'origin_server_ts',
    'membership',
  ],
  contentKeys: {
    'm.room.member': keys('membership'),
    'm.room.create': keys('creator'),
    'm.room.join_rules': keys('join_rule'),
    'm.room.power_levels': keys(
      'ban',
      'events',
      'events_default',
      'kick',
      'redact',
      'state_default',
      'users',
      'users_default',
    ),
    'm.room.aliases': keys('aliases'),
    'm.room.history_visibility': keys('history_visibility'),
  },
};

/** https://spec.matrix.org/v1.19/rooms/v1/#authorisation-rules */
const eventAuthV1: EventAuthRules = {
  specialCaseAliases: true,
  specialCaseRedaction: true,
  notificationsPowerLevels: false,
  knock: false,
  restricted: false,
  knockRestricted: false,
  // https://spec.matrix.org/v1.19/rooms/v1/#mroompower_levels-events-accept-values-as-floats
  powerLevelValues: 'number-like',
  creatorFrom: 'content',
  createEventIsRoomId: false,
  privilegedCreators: false,
  additionalCreators: false,
  ownedState: false,
};

/** https://spec.matrix.org/v1.19/rooms/v1/ */
const v1: RoomVersionRules = {
  version: '1',
  disposition: 'stable',
  eventIdFormat: 'opaque',
  roomIdFormat: 'opaque',
  referenceFormat: 'id-and-hash',
  stateResolution: { algorithm: 'v1' },
  enforceKeyValidity: false,
  strictCanonicalJson: false,
  eventFormat: {
    eventIdField: true,
    redactsIn: 'event',
    createWithoutRoomId: false,
    createInAuthEvents: true,
    strictByteLimits: false,
  },
  signatures: { eventIdServer: true, joinAuthorisingServer: false },
  eventAuth: eventAuthV1,
  redaction: redactionV1,
};

/** State resolution v2. https://spec.matrix.org/v1.19/rooms/v2/ */
const v2: RoomVersionRules = {
  ...v1,
  version: '2',
  stateResolution: { algorithm: 'v2', startFromEmptyState: false, considerConflictedSubgraph: false },
};

/** Event ids are hashes; redactions are judged when they are applied. https://spec.matrix.org/v1.19/rooms/v3/ */
const v3: RoomVersionRules = {
  ...v2,
  version: '3',
  eventIdFormat: 'reference-hash',
  referenceFormat: 'id',
  eventFormat: { ...v2.eventFormat, eventIdField: false },
  signatures: { ...v2.signatures, eventIdServer: false },
  eventAuth: { ...v2.eventAuth, specialCaseRedaction: false },
};

/** URL-safe event ids. https://spec.matrix.org/v1.19/rooms/v4/ */
const v4: RoomVersionRules = { ...v3, version: '4', eventIdFormat: 'url-safe-reference-hash' };

/** Signing keys have a validity period. https://spec.matrix.org/v1.19/rooms/v5/ */
const v5: RoomVersionRules = { ...v4, version: '5', enforceKeyValidity: true };

const { 'm.room.aliases': _aliases, ...contentKeysV6 } = redactionV1.contentKeys;

/** Canonical JSON, no meaning of aliases, protected notification levels. https://spec.matrix.org/v1.19/rooms/v6/ */
const v6: RoomVersionRules = {
  ...v5,
  version: '6',
  strictCanonicalJson: true,
  eventAuth: {
    ...v5.eventAuth,
    specialCaseAliases: false,
    notificationsPowerLevels: true,
    powerLevelValues: 'integer-like',
  },
  redaction: { ...v5.redaction, contentKeys: contentKeysV6 },
};

/** Knocking. https://spec.matrix.org/v1.19/rooms/v7/ */
const v7: RoomVersionRules = { ...v6, version: '7', eventAuth: { ...v6.eventAuth, knock: true } };

/** Restricted joins. https://spec.matrix.org/v1.19/rooms/v8/ */
const v8: RoomVersionRules = {
  ...v7,
  version: '8',
  signatures: { ...v7.signatures, joinAuthorisingServer: true },
  eventAuth: { ...v7.eventAuth, restricted: true },
  redaction: {
    ...v7.redaction,
    contentKeys: { ...v7.redaction.contentKeys, 'm.room.join_rules': keys('join_rule', 'allow') },
  },
};

/** Redacted restricted joins stay valid. https://spec.matrix.org/v1.19/rooms/v9/ */
const v9: RoomVersionRules = {
  ...v8,
  version: '9',
  redaction: {
    ...v8.redaction,
    contentKeys: {
      ...v8.redaction.contentKeys,
      'm.room.member': keys('membership', 'join_authorised_via_users_server'),
    },
  },
};

/** Power levels are integers; knock_restricted. https://spec.matrix.org/v1.19/rooms/v10/ */
const v10: RoomVersionRules = {
  ...v9,
  version: '10',
  eventAuth: { ...v9.eventAuth, powerLevelValues: 'integer', knockRestricted: true },
};

/** The sender is the creator; redacts is content; redaction is cleaned up. https://spec.matrix.org/v1.19/rooms/v11/ */
const v11: RoomVersionRules = {
  ...v10,
  version: '11',
  eventFormat: { ...v10.eventFormat, redactsIn: 'content', strictByteLimits: true },
  eventAuth: { ...v10.eventAuth, creatorFrom: 'sender' },
  redaction: {
    eventKeys: v10.redaction.eventKeys.filter((key) => !['prev_state', 'origin', 'membership'].includes(key)),
    contentKeys: {
      ...v10.redaction.contentKeys,
      'm.room.member': [
        ...keys('membership', 'join_authorised_via_users_server'),
        ['third_party_invite', 'signed'],
      ] satisfies ContentPath[],
      'm.room.create': 'all',
      'm.room.power_levels': keys(
        'ban',
        'events',
        'events_default',
        'invite',
        'kick',
        'redact',
        'state_default',
        'users',
        'users_default',
      ),
      'm.room.redaction': keys('redacts'),
    },
  },
};

/** Privileged creators, room ids from the create event, state resolution v2.1. https://spec.matrix.org/v1.19/rooms/v12/ */
const v12: RoomVersionRules = {
  ...v11,
  version: '12',
  roomIdFormat: 'create-event-id',
  stateResolution: { algorithm: 'v2', startFromEmptyState: true, considerConflictedSubgraph: true },
  eventFormat: { ...v11.eventFormat, createWithoutRoomId: true, createInAuthEvents: false },
  eventAuth: {
    ...v11.eventAuth,
    createEventIsRoomId: true,
    privilegedCreators: true,
    additionalCreators: true,
  },
};

/**
 * Version 10 with state that belongs to users, for who asks for it by name.
 * https://github.com/matrix-org/matrix-spec-proposals/pull/3757 (MSC3757)
 */
const msc3757v10: RoomVersionRules = {
  ...v10,
  version: 'org.matrix.msc3757.10',
  disposition: 'unstable',
  eventAuth: { ...v10.eventAuth, ownedState: true },
};

/** Every room version of the specification. */
export const roomVersions: Readonly<Record<SpecifiedRoomVersionId, RoomVersionRules>> = deepFreeze({
  '1': v1,
  '2': v2,
  '3': v3,
  '4': v4,
  '5': v5,
  '6': v6,
  '7': v7,
  '8': v8,
  '9': v9,
  '10': v10,
  '11': v11,
  '12': v12,
});

/** Those of proposals. */
export const experimentalRoomVersions: Readonly<Record<ExperimentalRoomVersionId, RoomVersionRules>> = deepFreeze({
  'org.matrix.msc3757.10': msc3757v10,
});

/** The version of new rooms unless the client or the configuration says otherwise. */
export const defaultRoomVersionId: RoomVersionId = '12';

const byId: ReadonlyMap<string, RoomVersionRules> = new Map(
  Object.entries({ ...roomVersions, ...experimentalRoomVersions }),
);

function deepFreeze<T extends object>(value: T): T {
  for (const inner of Object.values(value)) {
    if (typeof inner === 'object' && inner !== null && !Object.isFrozen(inner)) deepFreeze(inner);
  }
  return Object.freeze(value);
}
