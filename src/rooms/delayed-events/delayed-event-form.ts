/** Delayed events as their owners see them. https://github.com/matrix-org/matrix-spec-proposals/pull/4140 (MSC4140) */
import type { JsonObject } from '../../matrix/json/json-value.ts';
import type { DelayedEventRow } from '../../storage/stores/delayed-event-store.ts';

export type DelayedEventStatus = 'scheduled' | 'finalised';

/** What is true of it while it waits. */
export function scheduledForm(row: DelayedEventRow): JsonObject {
  return {
    delay_id: row.delay_id,
    room_id: row.room_id,
    type: row.type,
    ...(row.state_key === null ? {} : { state_key: row.state_key }),
    delay_ms: row.delay_ms,
    scheduled_at: row.scheduled_at,
    content: contentOf(row),
    // The names of the proposal's earlier versions.
    delay: row.delay_ms,
    running_since: row.scheduled_at,
  };
}

/** Also what became of it. */
export function wholeForm(row: DelayedEventRow): JsonObject {
  return {
    ...scheduledForm(row),
    ...(row.finalised_ts === null ? {} : { finalised_ts: row.finalised_ts }),
    ...(row.event_id === null ? {} : { event_id: row.event_id }),
    ...(row.error === null ? {} : { error: JSON.parse(row.error) as JsonObject }),
  };
}

/** In the form that clients of an earlier version of the proposal ask for. */
export function finalisedForm(row: DelayedEventRow): JsonObject {
  const isOnTime = row.finalised_ts !== null && row.finalised_ts >= row.send_at;
  return {
    delayed_event: scheduledForm(row),
    outcome: row.event_id === null ? 'cancel' : 'send',
    reason: row.error === null ? (isOnTime && row.event_id !== null ? 'delay' : 'action') : 'error',
    ...(row.event_id === null ? {} : { event_id: row.event_id }),
    ...(row.error === null ? {} : { error: JSON.parse(row.error) as JsonObject }),
  };
}

export const contentOf = (row: DelayedEventRow): JsonObject => JSON.parse(row.content) as JsonObject;
