import type { JsonValue } from '../json/json-value.ts';
import { numericValue } from '../json/raw-number.ts';
import type { RoomVersionRules } from '../room-versions/rules.ts';

/**
 * The power level that a value stands for in the room version; undefined: it stands for none. Strings beyond ±2^53 are
 * rounded to the nearest double.
 * https://spec.matrix.org/v1.19/rooms/v1/#mroompower_levels-events-accept-values-as-strings
 * https://spec.matrix.org/v1.19/rooms/v1/#mroompower_levels-events-accept-values-as-floats
 */
export function powerLevelValue(value: JsonValue | undefined, rules: RoomVersionRules): number | undefined {
  const number = rules.eventAuth.powerLevelValues === 'number-like' ? numericValue(value) : value;
  if (typeof number === 'number') {
    if (Number.isInteger(number)) return number;
    return rules.eventAuth.powerLevelValues === 'number-like' && Number.isFinite(number)
      ? Math.trunc(number)
      : undefined;
  }
  if (typeof value !== 'string' || rules.eventAuth.powerLevelValues === 'integer') return undefined;
  if (!integerText.test(value)) return undefined;
  const level = Number(value);
  return Number.isFinite(level) ? level : undefined;
}

const integerText = /^\s*[+-]?[0-9]+\s*$/;
