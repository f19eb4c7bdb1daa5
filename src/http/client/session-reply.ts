import type { NewSession } from '../../accounts/sessions.ts';
import { serverNameOf } from '../../matrix/ids/user-id.ts';
import type { JsonObject } from '../../matrix/json/json-value.ts';

/** A new session as /login and /register tell it. `home_server` is deprecated, and some old clients still read it. */
export function sessionReply(session: NewSession): JsonObject {
  return {
    user_id: session.userId,
    access_token: session.accessToken,
    device_id: session.deviceId,
    home_server: serverNameOf(session.userId),
    ...tokenTimes(session),
  };
}

/** What only clients that can refresh are told. */
export function tokenTimes(session: NewSession): JsonObject {
  return {
    ...(session.refreshToken === undefined ? {} : { refresh_token: session.refreshToken }),
    ...(session.expiresInMs === undefined ? {} : { expires_in_ms: session.expiresInMs }),
  };
}
