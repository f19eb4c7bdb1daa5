/** Power levels of a room that replaces another one, perhaps of another version, and of the one it replaces. Pure. */
import { powerLevelValue } from '../../matrix/event-auth/power-level-value.ts';
import { powerLevelDefaults } from '../../matrix/event-auth/power-levels.ts';
import { isUserId } from '../../matrix/ids/user-id.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../matrix/json/json-value.ts';
import type { RoomVersionRules } from '../../matrix/room-versions/rules.ts';

export interface OldPowerLevels {
  /** Of `m.room.power_levels`; undefined: there is no such event. */
  readonly content: JsonObject | undefined;
  readonly rules: RoomVersionRules;
  readonly creators: readonly string[];
}
export interface NewPowerLevels {
  readonly rules: RoomVersionRules;
  /** The user who upgrades, and where the version knows them additional creators. */
  readonly creators: readonly [string, ...string[]];
  /** Users whom the one who upgrades must be able to ban. */
  readonly banned: readonly string[];
}

type Levels = Readonly<Record<string, number>>;

/**
 * `lasting`: the old levels in the form of the new version, in which creators are named or not. `initial`: the same, but with
 * what the one who upgrades needs to send all of the room's first events.
 */
export function upgradedPowerLevels(
  old: OldPowerLevels,
  { rules, creators, banned }: NewPowerLevels,
): { readonly initial: JsonObject; readonly lasting: JsonObject } {
  const content = readable(old);
  const users = levelsIn(content['users']);
  if (rules.eventAuth.privilegedCreators) {
    for (const creator of creators) delete users[creator];
    const lasting = withTombstoneAboveState({ ...content, users });
    return { initial: lasting, lasting };
  }
  const named = { ...levelsIn(content['events']), ...scalarsOf(content) };
  const most = Math.max(100, ...Object.values(named), ...Object.values(users));
  // Whoever stood above all levels still does.
  if (old.rules.eventAuth.privilegedCreators) for (const creator of old.creators) users[creator] = most;
  const [upgrader] = creators;
  const usersDefault = levelOf(content, 'users_default');
  const own = users[upgrader] ?? usersDefault;
  const bans = banned.map((userId) => (users[userId] ?? usersDefault) + 1);
  const needed = Math.max(levelOf(content, 'state_default'), levelOf(content, 'ban'), ...Object.values(named), ...bans);
  const lasting = { ...content, users };
  return own >= needed
    ? { initial: lasting, lasting }
    : { initial: { ...lasting, users: { ...users, [upgrader]: needed } }, lasting };
}

/**
 * The old room's levels with which nobody without special power speaks or invites; undefined: they are so already.
 * https://spec.matrix.org/v1.19/client-server-api/#server-behaviour-18
 */
export function closedPowerLevels({ content, rules, creators }: OldPowerLevels): JsonObject | undefined {
  // The event is changed where it stands: what it says otherwise stays as it is written.
  const before = content ?? { users: rules.eventAuth.privilegedCreators ? {} : levelsOfCreators(creators) };
  const level = (name: 'events_default' | 'invite' | 'users_default'): number =>
    powerLevelValue(before[name], rules) ?? powerLevelDefaults[name];
  const least = Math.max(50, level('users_default') + 1);
  if (level('events_default') >= least && level('invite') >= least) return undefined;
  return {
    ...before,
    events_default: Math.max(level('events_default'), least),
    invite: Math.max(level('invite'), least),
  };
}

/** As integers, without what no version takes for a level. */
function readable({ content, rules, creators }: OldPowerLevels): JsonObject {
  if (content === undefined) return { users: rules.eventAuth.privilegedCreators ? {} : levelsOfCreators(creators) };
  const scalars = Object.keys(powerLevelDefaults).flatMap((name) => {
    const level = powerLevelValue(content[name], rules);
    return level === undefined ? [] : [[name, level] as const];
  });
  const read = (levels: JsonValue | undefined, isKey: (key: string) => boolean): Levels =>
    Object.fromEntries(
      Object.entries(isJsonObject(levels) ? levels : {}).flatMap(([key, value]) => {
        const level = powerLevelValue(value, rules);
        return level === undefined || !Number.isSafeInteger(level) || !isKey(key) ? [] : [[key, level] as const];
      }),
    );
  const others = Object.entries(content).filter(([name]) => !levelFields.has(name));
  return {
    ...Object.fromEntries(others),
    ...Object.fromEntries(scalars.filter(([, level]) => Number.isSafeInteger(level))),
    users: read(content['users'], isUserId),
    events: read(content['events'], () => true),
    ...(content['notifications'] === undefined ? {} : { notifications: read(content['notifications'], () => true) }),
  };
}

const levelFields: ReadonlySet<string> = new Set([
  ...Object.keys(powerLevelDefaults),
  'users',
  'events',
  'notifications',
]);

/** Upgrades stay with the creators. https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3createroom */
function withTombstoneAboveState(content: JsonObject): JsonObject {
  const events = levelsIn(content['events']);
  const stateDefault = levelOf(content, 'state_default');
  const tombstone = events['m.room.tombstone'];
  if (tombstone !== undefined && tombstone > stateDefault) return content;
  return { ...content, events: { ...events, 'm.room.tombstone': Math.max(150, stateDefault + 1) } };
}

const levelsOfCreators = (creators: readonly string[]): JsonObject =>
  Object.fromEntries(creators.map((creator) => [creator, 100]));

/** Of content that `readable` made. */
function levelsIn(levels: JsonValue | undefined): Record<string, number> {
  return Object.fromEntries(
    Object.entries(isJsonObject(levels) ? levels : {}).filter((entry): entry is [string, number] => {
      return typeof entry[1] === 'number';
    }),
  );
}
function scalarsOf(content: JsonObject): Levels {
  const { ban, redact, kick, invite, state_default, events_default } = content;
  return levelsIn({ ban, redact, kick, invite, state_default, events_default });
}
function levelOf(content: JsonObject, name: keyof typeof powerLevelDefaults): number {
  const level = content[name];
  return typeof level === 'number' ? level : powerLevelDefaults[name];
}
