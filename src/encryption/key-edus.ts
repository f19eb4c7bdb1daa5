/** What EDUs tell other servers of the keys of our users, as they are at that moment. */
import type { JsonObject } from '../matrix/json/json-value.ts';
import type { EncryptionContext } from './context.ts';
import type { UserKeys } from './user-keys.ts';

type Telling = Pick<EncryptionContext, 'names' | 'knownKeys' | 'tellsDeviceNames'>;

export interface DeviceListPlace {
  readonly deviceId: string;
  readonly streamId: number;
  /** undefined: there is none before it. */
  readonly prevId: number | undefined;
}

/** Of a device that is gone by now it says so. https://spec.matrix.org/v1.19/server-server-api/#definition-mdevice_list_update */
export async function deviceListUpdate(
  ctx: Telling,
  userNid: number,
  { deviceId, streamId, prevId }: DeviceListPlace,
): Promise<JsonObject> {
  const { userId, keys } = await keysOf(ctx, userNid);
  const device = keys?.devices.get(deviceId);
  const place = {
    user_id: userId,
    device_id: deviceId,
    stream_id: streamId,
    prev_id: prevId === undefined ? [] : [prevId],
  };
  if (device === undefined) return { ...place, deleted: true };
  if (device.text === undefined) return place;
  const { unsigned, ...deviceKeys } = JSON.parse(device.text) as DeviceKeysTold;
  const { device_display_name: name } = unsigned;
  const named = ctx.tellsDeviceNames && name !== undefined ? { device_display_name: name } : {};
  return { ...place, ...named, keys: deviceKeys };
}

/** https://spec.matrix.org/v1.19/server-server-api/#definition-msigning_key_update */
export async function signingKeyUpdate(ctx: Telling, userNid: number): Promise<JsonObject> {
  const { userId, keys } = await keysOf(ctx, userNid);
  const [master, selfSigning] = [keys?.crossSigning.get('master'), keys?.crossSigning.get('self_signing')];
  return {
    user_id: userId,
    ...(master === undefined ? {} : { master_key: JSON.parse(master.text) as JsonObject }),
    ...(selfSigning === undefined ? {} : { self_signing_key: JSON.parse(selfSigning.text) as JsonObject }),
  };
}

/** Keys of a device as clients get them. */
export type DeviceKeysTold = JsonObject & { readonly unsigned: { readonly device_display_name?: string } };

async function keysOf({ names, knownKeys }: Telling, userNid: number) {
  const userId = await names.userId(userNid);
  const keys: UserKeys | undefined = (await knownKeys.of([userNid])).get(userNid);
  return { userId, keys };
}
