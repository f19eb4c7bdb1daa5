/**
 * The server's own push gateway: Web Push and UnifiedPush without anybody in between, so that an isolated network needs no
 * foreign service. https://spec.matrix.org/v1.19/push-gateway-api/
 */
import { isJsonObject, type JsonObject, type JsonValue } from '../../matrix/json/json-value.ts';
import { MatrixError } from '../../matrix/errors.ts';
import { limits } from '../../platform/limits.ts';
import { OutgoingHttpError } from '../../platform/outgoing-http-error.ts';
import { pushersOfPushkey } from '../../storage/stores/pusher-store.ts';
import type { PushContext } from '../context.ts';
import { gatewayPath } from '../pusher-data.ts';
import { type GatewayDevice, parseDevice } from './device.ts';
import { deviceRequest } from './device-requests.ts';
import { VapidKeys } from './vapid-key.ts';

type Context = Pick<PushContext, 'db' | 'http' | 'random' | 'config' | 'gateway'>;

/** How a push service answered: an HTTP status, or that the device is no more. */
export type GatewayAnswer = { readonly status: number } | 'rejected';

export class PushGateway {
  readonly #ctx: Context;
  readonly #vapid: VapidKeys;

  constructor(ctx: Context) {
    this.#ctx = ctx;
    this.#vapid = new VapidKeys(ctx.db, ctx.random);
  }

  /** In URL-safe unpadded Base64; what clients give to the push service when they subscribe. */
  async publicKey(): Promise<string> {
    return (await this.#vapid.get()).publicKey;
  }

  /** Whether a pusher's `data.url` means this gateway. */
  isOwn(url: URL): boolean {
    return url.href === this.#ctx.gateway.publicBaseUrl + gatewayPath;
  }

  /** The device of one of our own pushers; undefined: there can be none, and the pushkey is to be rejected. */
  deviceOf(pushkey: string, data: JsonObject): GatewayDevice | undefined {
    return parseDevice(pushkey, data, this.#ctx.config.allowInsecureGateways);
  }

  /** Throws OutgoingHttpError where the push service does not answer. */
  async send(device: GatewayDevice, notification: JsonObject, signal?: AbortSignal): Promise<GatewayAnswer> {
    const subject = `https://${this.#ctx.gateway.serverName}`;
    const request = await deviceRequest(device, notification, { key: () => this.#vapid.get(), subject });
    if (request === undefined) return { status: 200 };
    const { status } = await this.#ctx.http.request({
      ...request,
      timeoutMs: limits.pushTimeoutMs,
      responseBytesMax: limits.pushResponseBytesMax,
      ...(signal === undefined ? {} : { signal }),
    });
    return goneStatuses.has(status) ? 'rejected' : { status };
  }

  /**
   * What another server hands over, or a pusher of ours under another name of this server. Only our own pushers' devices are
   * served, and those at hosts that the configuration names. Gives the pushkeys that are no more.
   * Throws 502 M_UNKNOWN where a push service does not take it: the sender tries again.
   */
  async notify(notification: JsonObject): Promise<readonly string[]> {
    const { devices, ...rest } = notification;
    const rejected: string[] = [];
    for (const device of (Array.isArray(devices) ? (devices as readonly JsonValue[]) : []).slice(0, devicesMax)) {
      if (!isJsonObject(device) || typeof device['pushkey'] !== 'string') continue;
      const found = await this.#permittedDevice(device);
      const answer = found === undefined ? 'rejected' : await this.#forward(found, { ...rest, devices: [device] });
      if (answer === 'rejected') rejected.push(device['pushkey']);
      else if (answer.status >= 300) throw notTaken();
    }
    return rejected;
  }

  async #forward(device: GatewayDevice, notification: JsonObject): Promise<GatewayAnswer> {
    try {
      return await this.send(device, notification);
    } catch (error) {
      if (error instanceof OutgoingHttpError) throw notTaken();
      throw error;
    }
  }

  async #permittedDevice({ app_id: appId, pushkey, data }: JsonObject): Promise<GatewayDevice | undefined> {
    if (typeof pushkey !== 'string') return undefined;
    const given = this.deviceOf(pushkey, isJsonObject(data) ? data : {});
    if (given !== undefined && this.#ctx.config.gatewayHosts.includes(given.endpoint.hostname)) return given;
    if (typeof appId !== 'string') return undefined;
    for (const row of await this.#ctx.db.all(pushersOfPushkey, { appId, pushkey })) {
      const own = JSON.parse(row.data) as JsonObject;
      const url = typeof own['url'] === 'string' ? URL.parse(own['url']) : null;
      if (row.enabled === 1 && url?.pathname === gatewayPath) return this.deviceOf(pushkey, own);
    }
    return undefined;
  }
}

/** Of one request; servers send one. */
const devicesMax = 20;
/** https://www.rfc-editor.org/rfc/rfc8030#section-7.3; 403: the subscription is bound to another server's key. */
const goneStatuses: ReadonlySet<number> = new Set([403, 404, 410]);

const notTaken = (): MatrixError => new MatrixError(502, 'M_UNKNOWN', 'The push service did not take the notification');
