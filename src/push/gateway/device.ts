/** Where the push gateway finds a device. https://spec.matrix.org/v1.19/push-gateway-api/ */
import { isJsonObject, type JsonObject, type JsonValue } from '../../matrix/json/json-value.ts';
import { gatewayPath } from '../pusher-data.ts';

/** https://unifiedpush.org: the pushkey is where the distributor's server takes messages. */
export interface UnifiedPushDevice {
  readonly kind: 'unified-push';
  readonly endpoint: URL;
}
/** https://www.rfc-editor.org/rfc/rfc8030: the pushkey is the subscription's public key, the rest is in the pusher's data. */
export interface WebPushDevice {
  readonly kind: 'web-push';
  readonly endpoint: URL;
  readonly publicKey: string;
  readonly auth: string;
  readonly options: WebPushOptions;
}
/** What clients may put beside it in the pusher's data. */
export interface WebPushOptions {
  /** Part of every message. */
  readonly defaultPayload: JsonObject;
  /** Nothing is sent that only tells how much is unread: browsers want something to show for each message. */
  readonly eventsOnly: boolean;
  /** Of the messages of a room that were not fetched yet only the last one is kept. */
  readonly onlyLastPerRoom: boolean;
}
export type GatewayDevice = UnifiedPushDevice | WebPushDevice;

/** undefined: nothing can be sent there. `allowInsecure`: without TLS too. */
export function parseDevice(pushkey: string, data: JsonObject, allowInsecure: boolean): GatewayDevice | undefined {
  const { endpoint: subscription, auth } = data;
  if (subscription === undefined) {
    const endpoint = usableUrl(pushkey, allowInsecure);
    return endpoint && { kind: 'unified-push', endpoint };
  }
  const endpoint = usableUrl(subscription, allowInsecure);
  if (endpoint === undefined || typeof auth !== 'string') return undefined;
  const publicKey = Buffer.from(pushkey, 'base64');
  const authLength = Buffer.from(auth, 'base64').length;
  if (publicKey.length !== uncompressedPointBytes || authLength < authBytesMin) return undefined;
  const { default_payload: payload } = data;
  return {
    kind: 'web-push',
    endpoint,
    publicKey: publicKey.toString('base64url'),
    auth: Buffer.from(auth, 'base64').toString('base64url'),
    options: {
      defaultPayload: isJsonObject(payload) ? payload : {},
      eventsOnly: data['events_only'] === true,
      onlyLastPerRoom: data['only_last_per_room'] === true,
    },
  };
}

const uncompressedPointBytes = 65;
const authBytesMin = 16;

/** Another gateway is no device: notifications would go round in circles. */
function usableUrl(text: JsonValue, allowInsecure: boolean): URL | undefined {
  const url = typeof text === 'string' ? URL.parse(text) : null;
  if (url === null || url.username !== '' || url.password !== '' || url.pathname === gatewayPath) return undefined;
  return url.protocol === 'https:' || (allowInsecure && url.protocol === 'http:') ? url : undefined;
}
