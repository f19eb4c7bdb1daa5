/** What responses say of keys. https://spec.matrix.org/v1.19/client-server-api/#e2e-extensions-to-sync */
import type { DeviceKeyCounts } from '../encryption/key-counts.ts';
import type { DeviceLists } from './device-list-news.ts';

/** Members of the response, each with a comma before it. */
export function deviceKeysText({ oneTimeKeys, unusedFallbackKeys }: DeviceKeyCounts): string {
  const counts = `,"device_one_time_keys_count":${JSON.stringify(oneTimeKeys)}`;
  return `${counts},"device_unused_fallback_key_types":${JSON.stringify(unusedFallbackKeys)}`;
}

/** The same; nothing where nobody's list changed. */
export function deviceListsText(lists: DeviceLists): string {
  return lists.changed.length + lists.left.length === 0 ? '' : `,"device_lists":${JSON.stringify(lists)}`;
}
