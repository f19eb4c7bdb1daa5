/** Sends one notification of one pusher, if it is still wanted when its turn comes. */
import { isJsonObject, type JsonObject, type JsonValue } from '../matrix/json/json-value.ts';
import { limits } from '../platform/limits.ts';
import { OutgoingHttpError } from '../platform/outgoing-http-error.ts';
import type { OutgoingResponse, TimerHandle } from '../platform/ports.ts';
import type { Database } from '../storage/database.ts';
import { userRoom } from '../storage/stores/membership-store.ts';
import type { PushContext } from './context.ts';
import { GatewayLines } from './gateway-lines.ts';
import { notificationBody, type PushableEvent, PushableEvents } from './notification.ts';
import { removePusher } from './pushers.ts';
import type { PendingPush, PusherQueue } from './pusher-queue.ts';

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
  readonly #lines = new GatewayLines();
  readonly #abort = new AbortController();
  readonly #sending = new Set<PusherQueue>();
  #idle: (() => void) | undefined;

  constructor(ctx: PushContext) {
    this.#ctx = ctx;
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
    const url = urlOf(queue.data);
    if (url === undefined) return { kind: 'obsolete' };
    try {
      return await this.#lines.run(url.origin, this.#abort.signal, () => this.#inTurn(queue, push, url));
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

  async #inTurn(queue: PusherQueue, push: PendingPush | undefined, url: URL): Promise<Delivered> {
    if (!queue.isEnabled) return { kind: 'obsolete' };
    const pushable = push && (await this.#wanted(queue, push));
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
      return await this.#send(queue, url, JSON.stringify(body), unread);
    } finally {
      this.#sending.delete(queue);
      if (this.#sending.size === 0) this.#idle?.();
    }
  }

  /** Only if it can still be seen, was not read meanwhile, and is not too old. */
  async #wanted({ user }: PusherQueue, push: PendingPush): Promise<PushableEvent | undefined> {
    const { clock, rooms, db, unread } = this.#ctx;
    if (push.tsMs < clock.nowMs() - limits.pushAgeMs) return undefined;
    const pushable = await this.events.find(push.nid);
    if (pushable === undefined) return undefined;
    if (!user.rooms.has(push.room)) {
      const standing = await db.one(userRoom, { user: user.userNid, room: push.room });
      const isInvited = standing?.membership === 'invite' && standing.event === push.nid;
      if (!isInvited) return undefined;
    } else if ((await unread.readOrds(user, push.room))(pushable.thread) >= pushable.ord) return undefined;
    return (await rooms.ignored.of(user)).has(pushable.event.sender) ? undefined : pushable;
  }

  async #send(queue: PusherQueue, url: URL, body: string, unread: number): Promise<Delivered> {
    const response = await this.#request(url, body);
    const { status } = response;
    if (status >= 200 && status < 300) {
      if (!rejectedIn(response).includes(queue.row.pushkey)) return { kind: 'delivered', unread };
      const { app_id: appId, pushkey } = queue.row;
      await removePusher(this.#ctx, queue.user.userNid, { appId, pushkey });
      return { kind: 'rejected' };
    }
    if (status >= 400 && status < 500 && status !== 408 && status !== 429) return { kind: 'refused' };
    throw new GatewayFailed(`${url.origin} answered ${status}`);
  }

  async #request(url: URL, body: string): Promise<OutgoingResponse> {
    try {
      return await this.#ctx.http.request({
        method: 'POST',
        url: url.href,
        headers: { 'Content-Type': 'application/json', 'User-Agent': 'veche' },
        body,
        timeoutMs: limits.pushTimeoutMs,
        responseBytesMax: limits.pushResponseBytesMax,
        signal: this.#abort.signal,
      });
    } catch (error) {
      if (error instanceof OutgoingHttpError) throw new GatewayFailed(error.message, { cause: error });
      throw error;
    }
  }
}

class GatewayFailed extends Error {
  override readonly name = 'GatewayFailed';
}

function urlOf({ url }: JsonObject): URL | undefined {
  return (typeof url === 'string' ? URL.parse(url) : null) ?? undefined;
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
