/** Account data as events. https://spec.matrix.org/v1.19/client-server-api/#client-config */
import type { EventFilter } from '../matrix/filters/event-filter.ts';
import { matchesEventFilter } from '../matrix/filters/matches-filter.ts';
import type { AccountDataRow } from '../storage/stores/account-data-store.ts';

/** Those that the filter wants. What was deleted is told as empty. */
export function accountDataText(rows: readonly AccountDataRow[], filter: EventFilter): string[] {
  return rows
    .filter((row) => matchesEventFilter(filter, { type: row.type, content: {} }))
    .map((row) => `{"type":${JSON.stringify(row.type)},"content":${row.json ?? '{}'}}`);
}
