/** Sends one notification of one pusher, if it is still wanted when its turn comes. */
import { isJsonObject, type JsonObject, type JsonValue } from '../matrix/json/json-value.ts';
import { limits } from '../platform/limits.ts';
import { OutgoingHttpError } from '../platform/outgoing-http-error.ts';
import type { OutgoingResponse, TimerHandle } from '../platform/ports.ts';
import type { Database } from '../storage/database.ts';
import type { PushContext } from './context.ts';
import type { GatewayDevice } from './gateway/device.ts';
import type { GatewayAnswer, PushGateway } from './gateway/push-gateway.ts';
import { GatewayLines } from './gateway-lines.ts';
import { notificationBody, PushableEvents } from './notification.ts';
import { removePusher } from './pushers.ts';
import type { PusherQueue } from './pusher-queue.ts';
import type { PendingPush } from './queue.ts';
import { findWanted } from './still-wanted.ts';

export type Delivered =
  | { readonly kind: 'delivered'; readonly unread: number }
  /** Nobody needs it any more. */
  | { readonly kind: 'obsolete' }
  /** The pushkey is no more, and neither is the pusher. */
  | { readonly kind: 'rejected' }
  /** The gateway is there and does not take this. */
  | { readonly kind: 'refused' }
  | { readonly kind: 'failed' };

export class Delivery {
  readonly events: PushableEvents;
  readonly #ctx: PushContext;
  readonly #gateway: PushGateway;
  readonly #lines = new GatewayLines();
  readonly #abort = new AbortController();
  readonly #sending = new Set<PusherQueue>();
  #idle: (() => void) | undefined;

  constructor(ctx: PushContext, gateway: PushGateway) {
    this.#ctx = ctx;
    this.#gateway = gateway;
    this.events = new PushableEvents(ctx.rooms);
  }

  get db(): Database {
    return this.#ctx.db;
  }

  report(error: unknown): void {
    this.#ctx.onFailed(error);
  }

  /** Up to half earlier, so that not all come back at once. */
  afterBackOff(longestMs: number, run: () => void): TimerHandle {
    const { timers, random } = this.#ctx;
    return timers.after(longestMs - random.int(Math.floor(longestMs / 2) + 1), run);
  }

  /** `push` undefined: how much is unread. */
  async deliver(queue: PusherQueue, push: PendingPush | undefined): Promise<Delivered> {
    const target = this.#targetOf(queue);
    if (target === undefined) return this.#reject(queue);
    try {
      return await this.#lines.run(target.url.origin, this.#abort.signal, () => this.#inTurn(queue, push, target));
    } catch (error) {
      if (error instanceof GatewayFailed || this.#abort.signal.aborted) return { kind: 'failed' };
      throw error;
    }
  }

  /** What is being sent may still be acknowledged for a while. */
  async close(): Promise<void> {
    if (this.#sending.size > 0) {
      const settled = Promise.withResolvers<void>();
      this.#idle = settled.resolve;
      const late = this.#ctx.timers.after(limits.pushCloseMs, settled.resolve);
      await settled.promise;
      late.cancel();
    }
    this.#abort.abort(new Error('the server ends'));
  }

  async #inTurn(queue: PusherQueue, push: PendingPush | undefined, target: Target): Promise<Delivered> {
    if (!queue.isEnabled) return { kind: 'obsolete' };
    const pushable = push && (await findWanted(this.#ctx, this.events, queue.user, push));
    if (push !== undefined && pushable === undefined) return { kind: 'obsolete' };
    const unread = await this.#ctx.unread.unreadOf(queue.user);
    const body = notificationBody({
      pushable,
      tweaks: push?.tweaks ?? {},
      userId: queue.user.userId,
      unread,
      device: deviceOf(queue),
      isEventIdOnly: queue.data['format'] === 'event_id_only' || !this.#ctx.config.includeContent,
    });
    this.#sending.add(queue);
    try {
      return await this.#send(queue, target, body, unread);
    } finally {
      this.#sending.delete(queue);
      if (this.#sending.size === 0) this.#idle?.();
    }
  }

  async #send(queue: PusherQueue, target: Target, body: JsonObject, unread: number): Promise<Delivered> {
    const answer = await this.#request(target, body, queue.row.pushkey);
    if (answer === 'rejected') return this.#reject(queue);
    const { status } = answer;
    if (status >= 200 && status < 300) return { kind: 'delivered', unread };
    if (status >= 400 && status < 500 && status !== 408 && status !== 429) return { kind: 'refused' };
    throw new GatewayFailed(`${target.url.origin} answered ${status}`);
  }

  async #reject({ row, user }: PusherQueue): Promise<Delivered> {
    await removePusher(this.#ctx, user.userNid, { appId: row.app_id, pushkey: row.pushkey });
    return { kind: 'rejected' };
  }

  /** undefined: nothing can ever be sent there. */
  #targetOf({ data, row }: PusherQueue): Target | undefined {
    const url = typeof data['url'] === 'string' ? URL.parse(data['url']) : null;
    if (url === null) return undefined;
    if (!this.#gateway.isOwn(url)) return { url };
    const device = this.#gateway.deviceOf(row.pushkey, data);
    return device && { url: device.endpoint, device };
  }

  async #request({ url, device }: Target, body: JsonObject, pushkey: string): Promise<GatewayAnswer> {
    const { signal } = this.#abort;
    try {
      if (device !== undefined) return await this.#gateway.send(device, body, signal);
      const response = await this.#ctx.http.request({
        method: 'POST',
        url: url.href,
        headers: { 'Content-Type': 'application/json', 'User-Agent': 'veche' },
        body: JSON.stringify({ notification: body }),
        timeoutMs: limits.pushTimeoutMs,
        responseBytesMax: limits.pushResponseBytesMax,
        signal,
      });
      const isTaken = response.status >= 200 && response.status < 300;
      return isTaken && rejectedIn(response).includes(pushkey) ? 'rejected' : response;
    } catch (error) {
      if (error instanceof OutgoingHttpError) throw new GatewayFailed(error.message, { cause: error });
      throw error;
    }
  }
}

/** `device`: it is our own gateway that sends there. */
interface Target {
  readonly url: URL;
  readonly device?: GatewayDevice;
}

class GatewayFailed extends Error {
  override readonly name = 'GatewayFailed';
}

function deviceOf({ row, data }: PusherQueue): JsonObject {
  const { url: _url, ...forwarded } = data;
  return {
    app_id: row.app_id,
    pushkey: row.pushkey,
    pushkey_ts: Math.floor(row.pushkey_ts / 1_000),
    data: forwarded,
  };
}

/** A gateway that says nothing sensible has rejected nothing. */
function rejectedIn({ body }: OutgoingResponse): readonly JsonValue[] {
  try {
    const answer = JSON.parse(body.toString()) as JsonValue;
    const rejected = isJsonObject(answer) ? answer['rejected'] : undefined;
    return Array.isArray(rejected) ? (rejected as readonly JsonValue[]) : [];
  } catch {
    return [];
  }
}
