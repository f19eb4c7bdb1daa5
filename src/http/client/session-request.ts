/** What /login and /register share: which device logs in. */
import type { SessionRequest } from '../../accounts/sessions.ts';
import { limits } from '../../platform/limits.ts';
import { boolean, optional, string, withDefault } from '../decode.ts';
import type { ClientInfo } from '../endpoint.ts';

export const sessionFields = {
  device_id: optional(string({ maxBytes: limits.idBytesMax })),
  initial_device_display_name: optional(string({ maxBytes: limits.deviceNameBytesMax })),
  refresh_token: withDefault(boolean(), false),
};

export function sessionRequest(
  body: {
    readonly device_id: string | undefined;
    readonly initial_device_display_name: string | undefined;
    readonly refresh_token: boolean;
  },
  client: ClientInfo,
): SessionRequest {
  return {
    // An empty id counts as none: some clients send it.
    deviceId: body.device_id === '' ? undefined : body.device_id,
    initialDeviceDisplayName: body.initial_device_display_name,
    canRefresh: body.refresh_token,
    client,
  };
}
