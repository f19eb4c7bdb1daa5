/** What clients need to use the TURN servers. https://spec.matrix.org/v1.19/client-server-api/#voice-over-ip */
import { createHmac } from 'node:crypto';
import type { UserId } from '../matrix/ids/ids.ts';
import type { JsonObject } from '../matrix/json/json-value.ts';
import type { Config } from '../platform/config/config.ts';

/**
 * The body of the answer; {} where no server is configured, or guests are not given any.
 * With a shared secret: the user name is the time at which it ends and the user, the password an HMAC-SHA1 of it.
 * https://datatracker.ietf.org/doc/html/draft-uberti-behave-turn-rest-00
 */
export function turnCredentials(
  turn: Config['turn'],
  user: { readonly userId: UserId; readonly isGuest: boolean },
  nowMs: number,
): JsonObject {
  const { uris, sharedSecret, username, password, ttlSeconds: ttl } = turn;
  if (uris.length === 0 || (user.isGuest && !turn.allowGuests)) return {};
  if (sharedSecret === undefined) return { username: username ?? '', password: password?.reveal() ?? '', uris, ttl };
  const name = `${Math.floor(nowMs / 1000) + ttl}:${user.userId}`;
  const mac = createHmac('sha1', sharedSecret.reveal()).update(name).digest('base64');
  return { username: name, password: mac, uris, ttl };
}
