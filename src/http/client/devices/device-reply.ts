import type { Device } from '../../../accounts/devices.ts';
import type { JsonObject } from '../../../matrix/json/json-value.ts';

export function deviceReply(device: Device): JsonObject {
  const { deviceId, displayName, lastSeenTs, lastSeenAddress } = device;
  return {
    device_id: deviceId,
    ...(displayName === undefined ? {} : { display_name: displayName }),
    ...(lastSeenAddress === undefined ? {} : { last_seen_ip: lastSeenAddress }),
    ...(lastSeenTs === undefined ? {} : { last_seen_ts: lastSeenTs }),
  };
}
