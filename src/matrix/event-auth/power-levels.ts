/**
 * Power levels as an `m.room.power_levels` event gives them. Nothing is parsed ahead: each answer is one property read,
 * so the size of the event does not matter.
 * https://spec.matrix.org/v1.19/client-server-api/#mroompower_levels
 */
import type { RoomEvent } from '../events/room-event.ts';
import { isJsonObject, type JsonValue } from '../json/json-value.ts';
import type { RoomVersionRules } from '../room-versions/rules.ts';
import { isCreator } from './creators.ts';
import { powerLevelValue } from './power-level-value.ts';

/** The property of `m.room.power_levels` that holds a level, and the level where it is missing. */
export const powerLevelDefaults = {
  users_default: 0,
  events_default: 0,
  state_default: 50,
  ban: 50,
  redact: 50,
  kick: 50,
  invite: 0,
} as const;
export type PowerLevelName = keyof typeof powerLevelDefaults;

type CreateFields = Pick<RoomEvent, 'sender' | 'content'>;
type PowerLevelsFields = Pick<RoomEvent, 'content'>;

/**
 * A user's power level. Infinity: a creator, in room versions that privilege them. Without a power levels event the
 * creator has 100 and all others 0. A level that is not one (only possible in users_default before room version 10)
 * gives no power: -Infinity.
 */
export function powerLevelOf(
  userId: string,
  create: CreateFields | undefined,
  powerLevels: PowerLevelsFields | undefined,
  rules: RoomVersionRules,
): number {
  const privileged = rules.eventAuth.privilegedCreators;
  if (privileged && create !== undefined && isCreator(userId, create, rules)) return Infinity;
  if (powerLevels === undefined) {
    return !privileged && create !== undefined && isCreator(userId, create, rules) ? 100 : 0;
  }
  const own = ownValue(powerLevels.content['users'], userId);
  if (own !== undefined) return powerLevelValue(own, rules) ?? -Infinity;
  const { users_default: usersDefault } = powerLevels.content;
  if (usersDefault === undefined) return powerLevelDefaults.users_default;
  return powerLevelValue(usersDefault, rules) ?? -Infinity;
}

/**
 * The level required to send an event of the type: events, then state_default or events_default. A level that is not one
 * (only possible before room version 10) is out of reach: Infinity.
 * https://spec.matrix.org/v1.19/server-server-api/#definitions
 */
export function requiredPowerLevelFor(
  eventType: string,
  isState: boolean,
  powerLevels: PowerLevelsFields | undefined,
  rules: RoomVersionRules,
): number {
  const own = powerLevels && ownValue(powerLevels.content['events'], eventType);
  if (own !== undefined) return powerLevelValue(own, rules) ?? Infinity;
  return namedPowerLevel(isState ? 'state_default' : 'events_default', powerLevels, rules);
}

/**
 * The ban, kick, redact or invite level, or one of the defaults. A level that is not one (only possible before room
 * version 10) is out of reach: Infinity.
 */
export function namedPowerLevel(
  name: PowerLevelName,
  powerLevels: PowerLevelsFields | undefined,
  rules: RoomVersionRules,
): number {
  const value = powerLevels?.content[name];
  if (value === undefined) return powerLevelDefaults[name];
  return powerLevelValue(value, rules) ?? Infinity;
}

/** A property that the object itself has. Keys come from outside, so `constructor` is an event type like any other. */
function ownValue(object: JsonValue | undefined, key: string): JsonValue | undefined {
  return isJsonObject(object) && Object.hasOwn(object, key) ? object[key] : undefined;
}
