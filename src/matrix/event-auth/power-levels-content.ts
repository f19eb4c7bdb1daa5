/** Rule 10 (9 in room versions 6 to 11): what an `m.room.power_levels` event may say. */
import type { AuthResult, RoomEvent } from '../events/room-event.ts';
import { isUserId } from '../ids/user-id.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../json/json-value.ts';
import type { RoomVersionRules } from '../room-versions/rules.ts';
import { allowed, refused, type AuthRule } from './auth-rule.ts';
import { powerLevelValue } from './power-level-value.ts';
import { powerLevelDefaults } from './power-levels.ts';

export interface PowerLevelsChange {
  readonly content: JsonObject;
  /** The `m.room.power_levels` event that it replaces. */
  readonly current: Pick<RoomEvent, 'content'> | undefined;
  readonly sender: string;
  readonly senderLevel: number;
  /** See creatorsOf. */
  readonly creators: readonly string[];
}

/**
 * Whether the sender may set these power levels. Whether the sender may send the event at all is another rule.
 * https://spec.matrix.org/v1.19/rooms/v12/#authorisation-rules
 */
export function authorisePowerLevelsContent(change: PowerLevelsChange, rules: RoomVersionRules): AuthResult {
  const malformed = checkShape(change, rules);
  if (!malformed.ok || change.current === undefined) return malformed;
  return checkChanges(change, change.current.content, rules);
}

const levelNames = Object.keys(powerLevelDefaults);

function checkShape({ content, creators }: PowerLevelsChange, rules: RoomVersionRules): AuthResult {
  const isLevel = (value: JsonValue | undefined) => powerLevelValue(value, rules) !== undefined;
  if (rules.eventAuth.powerLevelValues === 'integer') {
    for (const name of levelNames) {
      if (content[name] !== undefined && !isLevel(content[name])) {
        return refused('power_levels/not integers', `${name} is not an integer`, rules);
      }
    }
    for (const name of ['events', 'notifications']) {
      const levels = content[name];
      if (levels !== undefined && !(isJsonObject(levels) && Object.values(levels).every(isLevel))) {
        return refused('power_levels/events not integers', `${name} is not an object of integers`, rules);
      }
    }
  }
  const { users = {} } = content;
  if (!isJsonObject(users) || !Object.entries(users).every(([user, level]) => isUserId(user) && isLevel(level))) {
    return refused('power_levels/users not integers', 'users is not an object of user ids and power levels', rules);
  }
  if (rules.eventAuth.privilegedCreators && creators.some((creator) => Object.hasOwn(users, creator))) {
    return refused('power_levels/creators', 'A creator is named in users', rules);
  }
  return allowed;
}

function checkChanges(change: PowerLevelsChange, current: JsonObject, rules: RoomVersionRules): AuthResult {
  const { content, sender, senderLevel } = change;
  const named = changedLevels(current, content, levelNames, rules);
  for (const { key, before, after } of named) {
    if (tooHigh(before, senderLevel)) return refusedChange('power_levels/current value', key, rules);
    if (tooHigh(after, senderLevel)) return refusedChange('power_levels/new value', key, rules);
  }
  const inEvents = changesWithin('events', current, content, rules);
  if (rules.eventAuth.notificationsPowerLevels) {
    inEvents.push(...changesWithin('notifications', current, content, rules));
  }
  for (const { key, before } of inEvents) {
    if (tooHigh(before, senderLevel)) return refusedChange('power_levels/current events', key, rules);
  }
  for (const { key, after } of inEvents) {
    if (tooHigh(after, senderLevel)) return refusedChange('power_levels/new events', key, rules);
  }
  const inUsers = changesWithin('users', current, content, rules);
  for (const { key, before } of inUsers) {
    if (key !== sender && before !== undefined && !(before < senderLevel)) {
      return refusedChange('power_levels/current users', key, rules);
    }
  }
  for (const { key, after } of inUsers) {
    if (tooHigh(after, senderLevel)) return refusedChange('power_levels/new users', key, rules);
  }
  return allowed;
}

/** undefined: no such entry. NaN: a value that is no power level; it differs from everything and is always refused. */
interface ChangedLevel {
  readonly key: string;
  readonly before: number | undefined;
  readonly after: number | undefined;
}

function changesWithin(
  name: 'events' | 'notifications' | 'users',
  current: JsonObject,
  content: JsonObject,
  rules: RoomVersionRules,
): ChangedLevel[] {
  const before = current[name];
  const after = content[name];
  const old = isJsonObject(before) ? before : {};
  const now = isJsonObject(after) ? after : {};
  return changedLevels(old, now, new Set([...Object.keys(old), ...Object.keys(now)]), rules);
}

function changedLevels(
  old: JsonObject,
  now: JsonObject,
  keys: Iterable<string>,
  rules: RoomVersionRules,
): ChangedLevel[] {
  const changes: ChangedLevel[] = [];
  for (const key of keys) {
    const before = entry(old, key, rules);
    const after = entry(now, key, rules);
    if (before !== after) changes.push({ key, before, after });
  }
  return changes;
}

function entry(object: JsonObject, key: string, rules: RoomVersionRules): number | undefined {
  const value = Object.hasOwn(object, key) ? object[key] : undefined;
  return value === undefined ? undefined : (powerLevelValue(value, rules) ?? NaN);
}

/** Also when it is no level at all. */
function tooHigh(level: number | undefined, senderLevel: number): boolean {
  return level !== undefined && !(level <= senderLevel);
}

function refusedChange(rule: AuthRule, key: string, rules: RoomVersionRules): AuthResult {
  return refused(rule, `The sender's power level is too low to change that of ${JSON.stringify(key)}`, rules);
}
