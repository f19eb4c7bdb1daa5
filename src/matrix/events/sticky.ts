/** Sticky events. https://github.com/matrix-org/matrix-spec-proposals/pull/4354 (MSC4354) */
import { isJsonObject, type JsonObject } from '../json/json-value.ts';
import { numericValue } from '../json/raw-number.ts';

/** The name of the property of a PDU, and of an event as clients get it, while the proposal is not accepted. */
export const stickyKey = 'msc4354_sticky';

/** An hour. */
export const stickyMsMax = 3_600_000;

/** For how long the event is sticky, in milliseconds; undefined: it is not. */
export function stickyDuration(event: JsonObject): number | undefined {
  const sticky = event[stickyKey];
  const duration = isJsonObject(sticky) ? numericValue(sticky['duration_ms']) : undefined;
  const isValid = duration !== undefined && Number.isInteger(duration) && duration >= 0 && duration <= stickyMsMax;
  return isValid ? duration : undefined;
}

/** Until when the event is sticky, in milliseconds since the Unix epoch, if it came in at `receivedTs`; undefined: it is not. */
export function stickyUntil(event: JsonObject, receivedTs: number): number | undefined {
  const duration = stickyDuration(event);
  const sentTs = numericValue(event['origin_server_ts']);
  return duration === undefined || sentTs === undefined ? undefined : Math.min(receivedTs, sentTs) + duration;
}
