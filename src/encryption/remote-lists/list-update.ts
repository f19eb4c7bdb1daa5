/**
 * Whether what is told of a user's devices follows on what is known of them. Pure.
 * https://spec.matrix.org/v1.19/server-server-api/#device-management
 */

/** One m.device_list_update. */
export interface DeviceListUpdate {
  readonly deviceId: string;
  /** undefined: it is none. */
  readonly streamId: number | undefined;
  /** undefined: they are none. */
  readonly prevIds: readonly number[] | undefined;
  /** Keys of the device as clients get them; undefined: it has none, or is gone. */
  readonly text: string | undefined;
}

/** What is known to have been right. */
export interface KnownList {
  /** Of the newest update that is in it, 0 where there was none yet. */
  readonly streamId: number;
  /** Texts by device id; those without keys are missing. */
  readonly devices: ReadonlyMap<string, string>;
}

/** What is known then; undefined: something is missing, and the whole list has to be asked for. */
export interface FollowedList {
  readonly streamId: number;
  /** Of the devices that have changed; undefined: without keys from now on. */
  readonly changed: ReadonlyMap<string, string | undefined>;
}

/** Updates in the order in which they came. */
export function followUpdates(known: KnownList, updates: readonly DeviceListUpdate[]): FollowedList | undefined {
  let { streamId } = known;
  const seen = new Set([streamId]);
  const changed = new Map<string, string | undefined>();
  for (const { deviceId, streamId: updateId, prevIds, text } of updates) {
    if (updateId === undefined || prevIds === undefined) return undefined;
    const before = changed.has(deviceId) ? changed.get(deviceId) : known.devices.get(deviceId);
    const isNews = text !== before;
    if (updateId <= streamId) {
      // Told again. That something else is said there happens where a server has lost its memory.
      if (isNews) return undefined;
      continue;
    }
    const isFirst = prevIds.length === 0 && streamId === 0;
    if (!isFirst && (prevIds.length === 0 || !prevIds.every((id) => seen.has(id)))) return undefined;
    seen.add(updateId);
    streamId = updateId;
    if (isNews) changed.set(deviceId, text);
  }
  // What became again what it was has not changed.
  for (const [deviceId, text] of changed) if (known.devices.get(deviceId) === text) changed.delete(deviceId);
  return { streamId, changed };
}
