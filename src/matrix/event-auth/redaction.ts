import type { AuthResult, RoomEvent, StateLookup } from '../events/room-event.ts';
import type { RoomVersionRules } from '../room-versions/rules.ts';
import { allowed, refused } from './auth-rule.ts';
import { namedPowerLevel, powerLevelOf } from './power-levels.ts';

/** Rule 11 of room versions 1 and 2. https://spec.matrix.org/v1.19/rooms/v1/#authorisation-rules */
export function checkRedaction(
  event: RoomEvent,
  create: RoomEvent,
  state: StateLookup,
  rules: RoomVersionRules,
): AuthResult {
  const powerLevels = state('m.room.power_levels', '');
  const senderLevel = powerLevelOf(event.sender, create, powerLevels, rules);
  if (senderLevel >= namedPowerLevel('redact', powerLevels, rules)) return allowed;
  const server = domainOf(event.eventId);
  if (server !== undefined && event.redacts !== undefined && domainOf(event.redacts) === server) return allowed;
  return refused('redaction/otherwise', "The sender may only redact events of the sender's server", rules);
}

function domainOf(eventId: string): string | undefined {
  const colon = eventId.indexOf(':');
  return colon === -1 ? undefined : eventId.slice(colon + 1);
}
