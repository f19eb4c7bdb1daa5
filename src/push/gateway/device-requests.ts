/** Notifications as push services take them. */
import { hash } from 'node:crypto';
import { isJsonObject, type JsonObject } from '../../matrix/json/json-value.ts';
import type { OutgoingRequest } from '../../platform/ports.ts';
import type { GatewayDevice, UnifiedPushDevice, WebPushDevice } from './device.ts';
import type { VapidKey } from './vapid-key.ts';

export type DeviceRequest = Pick<OutgoingRequest, 'method' | 'url' | 'headers'> & { readonly body: string | Buffer };

/** Push services keep a message for a device that is off for so long: two days. */
const keptSeconds = 172_800;
/** Of what is sent to a device. Push services need not take more: https://www.rfc-editor.org/rfc/rfc8030#section-7.2 */
const messageBytesMax = 4_096;
/** Of a Web Push message before it is encrypted. https://www.rfc-editor.org/rfc/rfc8291#section-4 */
const webPushBytesMax = 3_993;

/** `subject`: how push services reach who runs this server. undefined: there is nothing to be sent to this device. */
export async function deviceRequest(
  device: GatewayDevice,
  notification: JsonObject,
  vapid: { readonly key: () => Promise<VapidKey>; readonly subject: string },
): Promise<DeviceRequest | undefined> {
  if (device.kind === 'unified-push') return unifiedPushRequest(device, notification);
  if (device.options.eventsOnly && notification['event_id'] === undefined) return undefined;
  return webPushRequest(device, notification, { ...(await vapid.key()), subject: vapid.subject });
}

function unifiedPushRequest({ endpoint }: UnifiedPushDevice, notification: JsonObject): DeviceRequest {
  const whole = JSON.stringify({ notification });
  return {
    method: 'POST',
    url: endpoint.href,
    headers: { 'Content-Type': 'application/json', TTL: String(keptSeconds), Urgency: urgencyOf(notification) },
    body: Buffer.byteLength(whole) <= messageBytesMax ? whole : JSON.stringify({ notification: essence(notification) }),
  };
}

async function webPushRequest(
  { endpoint, publicKey, auth, options }: WebPushDevice,
  notification: JsonObject,
  vapidDetails: VapidKey & { readonly subject: string },
): Promise<DeviceRequest> {
  // Only servers that have a use for it load it.
  const { default: webPush } = await import('web-push');
  const { room_id: roomId } = notification;
  const details = webPush.generateRequestDetails(
    { endpoint: endpoint.href, keys: { p256dh: publicKey, auth } },
    webPushPayload(notification, options.defaultPayload),
    {
      vapidDetails,
      TTL: keptSeconds,
      urgency: urgencyOf(notification),
      contentEncoding: 'aes128gcm',
      ...(options.onlyLastPerRoom && typeof roomId === 'string' ? { topic: topicOf(roomId) } : {}),
    },
  );
  // Numbers are as good as texts here, and its types know none of them.
  const headers: Record<string, string> = { ...details.headers, TTL: String(keptSeconds) };
  headers['Content-Length'] = String(details.body.length);
  return {
    method: 'POST',
    url: endpoint.href,
    headers,
    body: details.body,
  };
}

/** Flat, as service workers of today's clients read it: the notification's fields, and the counts beside them. */
function webPushPayload(notification: JsonObject, defaultPayload: JsonObject): string {
  const flatten = ({ devices: _devices, counts, ...fields }: JsonObject): string =>
    JSON.stringify({ ...defaultPayload, ...fields, ...(isJsonObject(counts) ? counts : {}) });
  const { content: _content, ...withoutContent } = notification;
  const forms = [notification, withoutContent, essence(notification)].map(flatten);
  const fitting = forms.find((form) => Buffer.byteLength(form) <= webPushBytesMax);
  return fitting ?? JSON.stringify({ event_id: notification['event_id'], room_id: notification['room_id'] });
}

/** What suffices to fetch the rest. */
function essence({ event_id: eventId, room_id: roomId, counts, prio, devices }: JsonObject): JsonObject {
  const fields = { event_id: eventId, room_id: roomId, counts, prio, devices };
  return Object.fromEntries(
    Object.entries(fields).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}

const urgencyOf = ({ prio }: JsonObject): 'high' | 'normal' => (prio === 'low' ? 'normal' : 'high');
/** https://www.rfc-editor.org/rfc/rfc8030#section-5.4 */
const topicOf = (roomId: string): string => hash('sha256', roomId, 'base64url').slice(0, 32);
