/** Sends one message to one mailbox, if what it would tell is still wanted when its turn comes. */
import type { JsonValue } from '../../matrix/json/json-value.ts';
import { limits } from '../../platform/limits.ts';
import { MailError } from '../../platform/mail-error.ts';
import { findLanguage } from '../../platform/messages/catalogue.ts';
import type { TimerHandle } from '../../platform/ports.ts';
import { setPusherMailed, setPusherUnmailed } from '../../storage/stores/pusher-store.ts';
import type { PushContext } from '../context.ts';
import type { PushableEvent, PushableEvents } from '../notification.ts';
import { isOwnAddress, removePusher } from '../pushers.ts';
import type { PendingPush, Queue } from '../queue.ts';
import { findWanted } from '../still-wanted.ts';
import { type UnreadMessage, unreadLetter } from './unread-letter.ts';

export type Mailed =
  | { readonly kind: 'sent'; readonly atMs: number; readonly unread: number }
  /** Nobody needs it any more. */
  | { readonly kind: 'obsolete' }
  /** The address is no longer the user's, and the pusher is no more. */
  | { readonly kind: 'rejected' };

/** How far the mailbox is told before and after, for the disk. */
export interface MailedMark {
  readonly pos: number;
  readonly nextWaitMs: number;
  readonly toldPos: number;
  readonly mailedMs: number | undefined;
  readonly waitMs: number | undefined;
}

export class MailDelivery {
  readonly delayMs: number;
  readonly intervalMs: number;
  readonly #ctx: PushContext;
  readonly #events: PushableEvents;

  constructor(ctx: PushContext, events: PushableEvents) {
    this.delayMs = ctx.config.emailDelaySeconds * 1_000;
    this.intervalMs = ctx.config.emailIntervalSeconds * 1_000;
    this.#ctx = ctx;
    this.#events = events;
  }

  report(error: unknown): void {
    this.#ctx.onFailed(error);
  }
  get nowMs(): number {
    return this.#ctx.clock.nowMs();
  }
  at(timeMs: number, run: () => void): TimerHandle {
    return this.#ctx.timers.after(Math.max(0, timeMs - this.nowMs), run);
  }

  /** When the server ends, a mail server is waited for only so long. What it then has not taken is not sent. */
  async orTooLate(running: Promise<void>): Promise<void> {
    const late = Promise.withResolvers<void>();
    const timer = this.#ctx.timers.after(limits.pushCloseMs, late.resolve);
    await Promise.race([running, late.promise]);
    timer.cancel();
  }

  /**
   * It is on disk that the message was sent before it is, so that nobody gets it twice; a mail server that does not take it
   * takes that back. Throws MailError and SemaphoreFull then.
   */
  async deliver(queue: Queue, pushes: readonly PendingPush[], mark: MailedMark): Promise<Mailed> {
    const messages: UnreadMessage[] = [];
    for (const push of pushes) {
      const pushable = await findWanted(this.#ctx, this.#events, queue.user, push);
      if (pushable !== undefined) messages.push(messageOf(push.room, pushable));
    }
    if (messages.length === 0) return { kind: 'obsolete' };
    const { row, user } = queue;
    if (!(await isOwnAddress(this.#ctx.db, user.userNid, row.pushkey))) {
      await removePusher(this.#ctx, user.userNid, { appId: row.app_id, pushkey: row.pushkey });
      return { kind: 'rejected' };
    }
    if (!queue.isEnabled) return { kind: 'obsolete' };
    const unread = await this.#ctx.unread.unreadOf(user);
    const atMs = this.nowMs;
    const { pos, nextWaitMs: waitMs } = mark;
    await this.#ctx.db.write((unit) => unit.run(setPusherMailed, { pusher: queue.id, pos, ts: atMs, waitMs }))
      .committed;
    try {
      await this.#ctx.mailer.send(row.pushkey, this.#letterOf(queue, messages));
    } catch (error) {
      // A mailbox that never takes anything is not tried again with the same.
      if (!(error instanceof MailError && error.failure === 'refused')) {
        await this.#takeBack(queue, mark);
        throw error;
      }
      this.report(error);
    }
    return { kind: 'sent', atMs, unread };
  }

  #letterOf({ row, user }: Queue, messages: readonly UnreadMessage[]): ReturnType<typeof unreadLetter> {
    const { mailer, gateway, config } = this.#ctx;
    return unreadLetter({
      language: findLanguage(row.lang) ?? mailer.language,
      serverName: gateway.serverName,
      userId: user.userId,
      messages,
      includesContent: config.includeContent,
    });
  }

  async #takeBack(queue: Queue, { toldPos: pos, mailedMs, waitMs }: MailedMark): Promise<void> {
    const told = { pusher: queue.id, pos, ts: mailedMs ?? null, waitMs: waitMs ?? null };
    await this.#ctx.db.write((unit) => unit.run(setPusherUnmailed, told)).committed;
    queue.isBehindOnDisk = true;
  }
}

function messageOf(room: number, { event, details }: PushableEvent): UnreadMessage {
  const text = (value: JsonValue | undefined): string | undefined => (typeof value === 'string' ? value : undefined);
  return {
    room,
    roomName: text(details['room_name']) ?? text(details['room_alias']),
    sender: text(details['sender_display_name']) ?? event.sender,
    event,
  };
}
