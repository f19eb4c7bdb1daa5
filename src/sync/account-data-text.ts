/** Account data as events. https://spec.matrix.org/v1.19/client-server-api/#client-config */
import type { EventFilter, RoomEventFilter } from '../matrix/filters/event-filter.ts';
import { matchesRoomEventFilter } from '../matrix/filters/matches-filter.ts';
import type { JsonObject } from '../matrix/json/json-value.ts';
import type { AccountDataRow } from '../storage/stores/account-data-store.ts';

/** Those that the filter wants. What was deleted is told as empty. */
export function accountDataText(
  rows: readonly AccountDataRow[],
  filter: EventFilter & Pick<RoomEventFilter, 'containsUrl'>,
): string[] {
  const contentOf = (json: string | null): JsonObject =>
    json === null || filter.containsUrl === undefined ? {} : (JSON.parse(json) as JsonObject);
  return rows
    .filter(({ type, json }) => matchesRoomEventFilter(filter, { type, content: contentOf(json) }))
    .map((row) => `{"type":${JSON.stringify(row.type)},"content":${row.json ?? '{}'}}`);
}
