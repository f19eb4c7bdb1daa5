/** One message for devices of a user. https://spec.matrix.org/v1.19/client-server-api/#send-to-device-messaging */
import { tooLarge } from '../matrix/errors.ts';
import type { UserId } from '../matrix/ids/ids.ts';
import type { JsonObject } from '../matrix/json/json-value.ts';
import { limits } from '../platform/limits.ts';

export interface Recipient {
  readonly userId: UserId;
  readonly contentOf: ReadonlyMap<string, JsonObject>;
}

/** As devices get it. Throws 413 M_TOO_LARGE. */
export function eventText(sender: UserId, type: string, content: JsonObject): string {
  const text = JSON.stringify({ sender, type, content });
  if (Buffer.byteLength(text) > limits.toDeviceBytesMax)
    throw tooLarge(`A message to a device has at most ${limits.toDeviceBytesMax} bytes`);
  return text;
}

/** Whether `eventText` would not throw. */
export const fitsDevice = (sender: UserId, type: string, content: JsonObject): boolean =>
  Buffer.byteLength(JSON.stringify({ sender, type, content })) <= limits.toDeviceBytesMax;
