import type { JsonObject } from '../matrix/json/json-value.ts';
import type { Config } from '../platform/config/config.ts';
import { experimentalRoomVersions, roomVersions } from '../matrix/room-versions/table.ts';

/**
 * What this server lets this user do. https://spec.matrix.org/v1.19/client-server-api/#capabilities-negotiation
 * Rooms that were left are not forgotten by themselves.
 */
export function capabilitiesOf(
  user: { readonly isAdmin: boolean },
  {
    rooms,
    delayedEvents,
    urlPreviews,
    canConfirmEmail,
  }: Pick<Config, 'rooms' | 'delayedEvents' | 'urlPreviews'> & { readonly canConfirmEmail: boolean },
): JsonObject {
  const delays = { max_delay_ms: delayedEvents.delayMsMax, max_scheduled: delayedEvents.scheduledMax };
  return {
    'm.room_versions': { default: rooms.defaultVersion, available: availableRoomVersions },
    'm.change_password': { enabled: true },
    'm.set_displayname': { enabled: true },
    'm.set_avatar_url': { enabled: true },
    'm.profile_fields': { enabled: true },
    'm.3pid_changes': { enabled: canConfirmEmail },
    'm.get_login_token': { enabled: true },
    'm.forget_forced_upon_leave': { enabled: false },
    'm.delayed_events': delays,
    'org.matrix.msc4140.delayed_events': delays,
    // https://github.com/matrix-org/matrix-spec-proposals/pull/4452
    'io.element.msc4452.preview_url': { enabled: urlPreviews.enabled },
    ...(user.isAdmin ? { 'm.account_moderation': { suspend: true, lock: true } } : {}),
  };
}

const availableRoomVersions: JsonObject = Object.fromEntries(
  Object.entries({ ...roomVersions, ...experimentalRoomVersions }).map(([id, { disposition }]) => [id, disposition]),
);
