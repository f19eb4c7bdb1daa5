import type { ServerName } from '../../../matrix/ids/ids.ts';
import { isUserId } from '../../../matrix/ids/user-id.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../../matrix/json/json-value.ts';
import { numericValue } from '../../../matrix/json/raw-number.ts';
import { limits } from '../../../platform/limits.ts';
import { serverOf } from '../../../rooms/context.ts';
import type { PresenceReceiver, PresenceUpdate } from '../ports.ts';
import type { EduHandler } from './edu-handlers.ts';

const states = ['online', 'unavailable', 'offline'] as const;

/** Only of the origin's own users. https://spec.matrix.org/v1.19/server-server-api/#presence */
export function receivePresence(presence: PresenceReceiver): EduHandler {
  return async (origin, contents) => {
    const updates = contents
      .flatMap(({ push }) => (Array.isArray(push) ? push : []))
      .slice(0, limits.presencesPerTransactionMax)
      .flatMap((update: JsonValue) => (isJsonObject(update) ? updateOf(origin, update) : []));
    if (updates.length > 0) await presence.receive(updates);
  };
}

function updateOf(origin: ServerName, update: JsonObject): PresenceUpdate[] {
  const { user_id: userId, presence, status_msg: message, last_active_ago: ago } = update;
  const state = states.find((one) => one === presence);
  if (!isUserId(userId) || serverOf(userId) !== origin || state === undefined) return [];
  const statusMessage = typeof message === 'string' && message !== '' ? message : undefined;
  // Our own users may not say more either.
  if (statusMessage !== undefined && Buffer.byteLength(statusMessage) > limits.presenceStatusBytesMax) return [];
  const lastActiveAgoMs = Math.max(0, numericValue(ago) ?? 0);
  return [{ userId, state, statusMessage, lastActiveAgoMs: Number.isFinite(lastActiveAgoMs) ? lastActiveAgoMs : 0 }];
}
