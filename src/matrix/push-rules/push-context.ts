import type { UserId } from '../ids/ids.ts';
import { isJsonObject, type JsonObject } from '../json/json-value.ts';

/** What rules ask about the room at the time of the event, the same for all its members. */
export interface PushRoom {
  /** How many have joined. */
  readonly memberCount: number;
  /** Whether the event's sender may send notifications of this kind, such as "room". See `senderMayNotify`. */
  senderMayNotify(key: string): boolean;
}

/** Whose rules are evaluated. */
export interface PushRecipient {
  readonly userId: UserId;
  /** In this room; undefined: none. */
  readonly displayName: string | undefined;
  /** Whether they follow the thread of the event; absent where it is in none, or the rules do not ask. */
  readonly followsThread?: boolean | undefined;
}

/**
 * Whether a sender of this power level may send notifications of the kind `key`, by the content of the room's
 * `m.room.power_levels`. A kind without a level of its own needs 50.
 * https://spec.matrix.org/v1.19/client-server-api/#mroompower_levels
 */
export function senderMayNotify(key: string, senderPowerLevel: number, powerLevels: JsonObject | undefined): boolean {
  const notifications = powerLevels?.['notifications'];
  const level = isJsonObject(notifications) && Object.hasOwn(notifications, key) ? notifications[key] : undefined;
  return senderPowerLevel >= (integerOf(level) ?? notificationLevelDefault);
}

const notificationLevelDefault = 50;

/** Early room versions allow levels as texts. */
function integerOf(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? value : undefined;
  return typeof value === 'string' && /^\s*[+-]?\d{1,15}\s*$/.test(value) ? Number(value) : undefined;
}
