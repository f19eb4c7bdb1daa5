/**
 * The events that make the replacement of a room. https://spec.matrix.org/v1.19/client-server-api/#server-behaviour-18
 *
 * Pure: what is there of the old room is handed in.
 */
import type { RoomEvent } from '../../matrix/events/room-event.ts';
import type { EventId, RoomId, UserId } from '../../matrix/ids/ids.ts';
import { canonicalJsonOf } from '../../matrix/json/canonical-json.ts';
import type { JsonObject, JsonValue } from '../../matrix/json/json-value.ts';
import type { RoomVersionRules } from '../../matrix/room-versions/rules.ts';
import { withoutAliases } from '../canonical-alias.ts';
import type { StateDraft } from '../create-room-events.ts';
import { type OldPowerLevels, upgradedPowerLevels } from './upgraded-power-levels.ts';

/** What is carried over as it is, in this order: who may come in is settled before what the room is called. */
export const carriedTypes = [
  'm.room.join_rules',
  'm.room.history_visibility',
  'm.room.guest_access',
  'm.room.encryption',
  'm.room.server_acl',
  'm.room.name',
  'm.room.topic',
  'm.room.avatar',
] as const;

export interface OldRoom {
  readonly roomId: RoomId;
  readonly create: Pick<RoomEvent, 'content'>;
  readonly powerLevels: OldPowerLevels;
  /** The newest event. */
  readonly lastEventId: EventId | undefined;
  /** The contents of those of `carriedTypes` that there are, by type. */
  readonly carried: ReadonlyMap<string, JsonObject>;
  /** The content of `m.room.canonical_alias`, and the aliases that will lead to the new room. */
  readonly canonicalAlias: JsonObject;
  readonly aliases: ReadonlySet<string>;
  /** Contents of `m.space.child` by room ID; only of spaces. */
  readonly children: readonly { readonly stateKey: string; readonly content: JsonObject }[];
  readonly bans: readonly { readonly userId: UserId; readonly reason: JsonValue | undefined }[];
}
export interface Upgrade {
  readonly rules: RoomVersionRules;
  readonly upgrader: UserId;
  readonly upgraderMember: JsonObject;
  /** Empty where the version knows none. */
  readonly additionalCreators: readonly UserId[];
}

export function upgradedRoomEvents(old: OldRoom, upgrade: Upgrade): StateDraft[] {
  const { rules, upgrader } = upgrade;
  const creators: readonly [UserId, ...UserId[]] = [upgrader, ...upgrade.additionalCreators];
  // Nobody bans a creator, nor themselves.
  const bans = old.bans.filter(({ userId }) => !creators.includes(userId));
  const banned = bans.map(({ userId }) => userId);
  const { initial, lasting } = upgradedPowerLevels(old.powerLevels, { rules, creators, banned });
  const drafts: StateDraft[] = [
    { type: 'm.room.create', stateKey: '', content: createContent(old, upgrade) },
    { type: 'm.room.member', stateKey: upgrader, content: { ...upgrade.upgraderMember, membership: 'join' } },
    { type: 'm.room.power_levels', stateKey: '', content: initial },
    ...canonicalAlias(old),
    ...carriedTypes.flatMap((type) => {
      const content = old.carried.get(type);
      if (content === undefined) return [];
      return [{ type, stateKey: '', content: type === 'm.room.join_rules' ? joinRules(content, rules) : content }];
    }),
    ...old.children.map(({ stateKey, content }) => ({ type: 'm.space.child', stateKey, content })),
    ...bans.map(({ userId, reason }) => ({
      type: 'm.room.member',
      stateKey: userId,
      content: { membership: 'ban', ...(typeof reason === 'string' ? { reason } : {}) },
    })),
  ];
  if (initial !== lasting) drafts.push({ type: 'm.room.power_levels', stateKey: '', content: lasting });
  return drafts.map((draft) => ({ ...draft, content: writable(draft.content, rules) }));
}

function createContent(old: OldRoom, { rules, upgrader, additionalCreators }: Upgrade): JsonObject {
  const { type, 'm.federate': federate } = old.create.content;
  // Where the room's ID is made of the create event, the tombstone has to name the ID first, and clients look for that.
  const isNamed = rules.roomIdFormat === 'opaque' && old.lastEventId !== undefined;
  return {
    room_version: rules.version,
    predecessor: { room_id: old.roomId, ...(isNamed ? { event_id: old.lastEventId } : {}) },
    ...(rules.eventAuth.creatorFrom === 'content' ? { creator: upgrader } : {}),
    ...(additionalCreators.length === 0 ? {} : { additional_creators: additionalCreators }),
    ...(type === undefined ? {} : { type }),
    ...(federate === false ? { 'm.federate': false } : {}),
  };
}

/** Of the aliases those that move; others go on leading to the old room. */
function canonicalAlias({ canonicalAlias: before, aliases }: OldRoom): StateDraft[] {
  const { alias, alt_aliases: alternatives } = before;
  const names: readonly JsonValue[] = [alias ?? '', ...(Array.isArray(alternatives) ? alternatives : [])];
  const staying = names.filter((name) => typeof name !== 'string' || !aliases.has(name));
  if (staying.length === names.length) return [];
  return [{ type: 'm.room.canonical_alias', stateKey: '', content: withoutAliases(before, new Set(staying)) }];
}

/** A rule that the version does not know would let nobody in, not even who is invited. */
function joinRules(content: JsonObject, { eventAuth }: RoomVersionRules): JsonObject {
  switch (content['join_rule']) {
    case 'knock':
      return eventAuth.knock ? content : { join_rule: 'invite' };
    case 'restricted':
      return eventAuth.restricted ? content : { join_rule: 'invite' };
    case 'knock_restricted':
      if (eventAuth.knockRestricted) return content;
      return eventAuth.restricted
        ? { ...content, join_rule: 'restricted' }
        : { join_rule: eventAuth.knock ? 'knock' : 'invite' };
    default:
      return content;
  }
}

/** Without what cannot be written in the new version: old ones took floats and large integers. */
function writable(content: JsonObject, rules: RoomVersionRules): JsonObject {
  const write = canonicalJsonOf(rules);
  return Object.fromEntries(
    Object.entries(content).filter(([, value]) => {
      if (value === undefined) return false;
      try {
        write(value);
        return true;
      } catch {
        return false;
      }
    }),
  );
}
