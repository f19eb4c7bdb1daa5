/**
 * Follows the stream of events and hands what somebody is to be notified of to their pushers. It is woken by commits and may
 * be behind; after a start it goes on where the one before it stopped (docs/decisions: push).
 */
import type { RoomEvent } from '../matrix/events/room-event.ts';
import { isUserId } from '../matrix/ids/user-id.ts';
import { KeyedLock } from '../platform/keyed-lock.ts';
import { limits } from '../platform/limits.ts';
import type { TimerHandle } from '../platform/ports.ts';
import type { TimelineEntry } from '../rooms/event-effects.ts';
import { firstOrdAfter } from '../rooms/pagination-token.ts';
import type { Commit } from '../storage/database.ts';
import { BadgeNews } from './badge-news.ts';
import { catchUp, type CatchUpTarget } from './catch-up.ts';
import type { PushContext } from './context.ts';
import { Delivery } from './delivery.ts';
import type { PushGateway } from './gateway/push-gateway.ts';
import { EventOutcomes } from './outcomes.ts';
import { MailDelivery } from './mail/mail-delivery.ts';
import { MailQueue } from './mail/mail-queue.ts';
import { PusherQueue } from './pusher-queue.ts';
import { emailKind } from './pushers.ts';
import { PushProgress } from './push-progress.ts';
import { PushUsers } from './push-users.ts';
import type { PushUser } from './push-user.ts';
import type { Queue } from './queue.ts';

/** What it needs of an event that came in. */
type LiveEvent = Pick<TimelineEntry, 'room' | 'nid' | 'pos' | 'ord' | 'event'>;

export class PushWorker {
  readonly #ctx: PushContext;
  readonly #delivery: Delivery;
  readonly #users: PushUsers;
  readonly #badges: BadgeNews;
  readonly #progress: PushProgress;
  readonly #reloads = new KeyedLock<number>();
  readonly #reloading = new Set<Promise<void>>();
  /** Events that nobody has looked at yet, oldest first. */
  #waiting: LiveEvent[] = [];
  /** Those after this position must be read back: more came than may wait, or looking at them failed. */
  #lostAfter: number | undefined;
  #looking: Promise<void> | undefined;
  #retry: TimerHandle | undefined;
  /** How many are being read back. */
  #catchingUp = 0;
  #isLoaded = false;
  #isClosed = false;
  #loading = Promise.resolve();
  readonly #reloadedEarly = new Set<number>();
  readonly #stopListening: () => void;

  constructor(ctx: PushContext, gateway: PushGateway) {
    this.#ctx = ctx;
    this.#delivery = new Delivery(ctx, gateway);
    const mails = new MailDelivery(ctx, this.#delivery.events);
    this.#users = new PushUsers(ctx.db, (user, row, livePos) =>
      row.kind === emailKind
        ? new MailQueue(user, row, livePos, mails)
        : new PusherQueue(user, row, livePos, this.#delivery),
    );
    this.#badges = new BadgeNews(ctx, this.#users);
    this.#progress = new PushProgress(ctx, () => this.#lookedAtPos());
    this.#stopListening = ctx.db.onCommitted((commit) => this.#onCommit(commit));
  }

  /** Reads who has pushers, and then what they were not told before the last end. Does not wait for that. */
  start(): void {
    this.#loading = this.#load().catch((error: unknown) => this.#ctx.onFailed(error));
  }

  /** Resolves when everything that was committed has been looked at. */
  async lookedAtAll(): Promise<void> {
    await this.#loading;
    while (this.#looking !== undefined) await this.#looking;
  }

  /** Ends what it is doing; what could not be sent is sent after the next start. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#stopListening();
    this.#badges.close();
    this.#retry?.cancel();
    await this.lookedAtAll();
    await Promise.all(this.#reloading);
    const queues = this.#users.queues().map((queue) => queue.close());
    await this.#delivery.close();
    await Promise.all(queues);
    await this.#users.ended();
    await this.#progress.close();
  }

  async #load(): Promise<void> {
    const from = await this.#progress.load();
    const queues = await this.#users.loadAll();
    await this.#catchUp(queues.map((queue) => ({ queue, from: startOf(queue, from), upTo: queue.livePos })));
    this.#isLoaded = true;
    for (const userNid of this.#reloadedEarly) this.#reload(userNid);
    this.#look();
  }

  #onCommit(commit: Commit): void {
    this.#delivery.events.onCommit(commit);
    this.#users.onCommit(commit);
    for (const wake of commit.wakes) {
      if (wake.kind === 'event') this.#take(wake);
      else if (wake.kind === 'receipt' || wake.kind === 'membership') this.#badges.mayHaveChanged(wake.userNid);
      else if (wake.kind === 'pushers' || wake.kind === 'threepid-removed') this.#reload(wake.userNid);
      else if (wake.kind === 'device' && wake.change === 'removed') this.#reload(wake.userNid);
    }
  }

  #take(entry: TimelineEntry): void {
    this.#badges.mayHaveChanged(entry.senderNid);
    const concerns = this.#users.membersOf(entry.room).size > 0 || this.#invitedBy(entry.event) !== undefined;
    // Where nobody has a pusher an event costs no more than this. History that is fetched later is not news.
    if (!concerns || entry.ord !== firstOrdAfter(entry.pos - 1)) return;
    if (this.#waiting.length < limits.pushEventsWaitingMax) this.#waiting.push(entry);
    else this.#lostAfter ??= this.#waiting.at(-1)?.pos;
    this.#look();
  }

  #lookedAtPos(): number | undefined {
    if (!this.#isLoaded || this.#catchingUp > 0) return undefined;
    const pos = this.#firstWaitingPos() - 1;
    return Math.min(pos, this.#lostAfter ?? pos);
  }

  #firstWaitingPos(): number {
    return this.#waiting[0]?.pos ?? this.#ctx.db.committedPos() + 1;
  }

  #reload(userNid: number): void {
    if (!this.#isLoaded) return void this.#reloadedEarly.add(userNid);
    if (this.#isClosed) return;
    const reloaded = this.#reloads.run(userNid, async () => {
      const added = await this.#users.reload(userNid);
      await this.#catchUp(added.map((queue) => ({ queue, from: queue.row.told_pos, upTo: queue.livePos })));
    });
    const settled = reloaded
      .catch((error: unknown) => this.#ctx.onFailed(error))
      .finally(() => this.#reloading.delete(settled));
    this.#reloading.add(settled);
  }

  async #catchUp(targets: readonly CatchUpTarget[]): Promise<void> {
    if (targets.length === 0) return;
    this.#catchingUp++;
    try {
      await catchUp(this.#ctx, targets, () => this.#isClosed);
    } finally {
      this.#catchingUp--;
    }
    for (const { queue } of targets) {
      this.#progress.follow(queue);
      queue.start();
    }
  }

  #look(): void {
    if (this.#looking !== undefined || this.#retry !== undefined || !this.#isLoaded || !this.#hasWork()) return;
    const ended = this.#lookAtAll().catch((error: unknown) => {
      this.#ctx.onFailed(error);
      this.#lookAgainLater();
    });
    this.#looking = ended.then(() => {
      this.#looking = undefined;
      this.#look();
    });
  }

  #hasWork(): boolean {
    return !this.#isClosed && (this.#waiting.length > 0 || this.#lostAfter !== undefined);
  }

  /** What was not looked at is read back then. */
  #lookAgainLater(): void {
    this.#lostAfter = Math.min(this.#firstWaitingPos() - 1, this.#lostAfter ?? Infinity);
    this.#waiting = [];
    this.#retry = this.#ctx.timers.after(limits.pushRetryMs, () => {
      this.#retry = undefined;
      this.#look();
    });
  }

  async #lookAtAll(): Promise<void> {
    for (let count = 1; this.#hasWork(); count++) {
      const [next] = this.#waiting;
      if (next === undefined) {
        await this.#readBack();
        continue;
      }
      await this.#lookAt(next);
      this.#waiting.shift();
      if (count % eventsPerTurn === 0) await new Promise<void>((resolve) => this.#ctx.timers.soon(resolve));
    }
    this.#progress.note();
  }

  async #readBack(): Promise<void> {
    const [from, upTo] = [this.#lostAfter ?? 0, this.#ctx.db.committedPos()];
    await this.#catchUp(this.#users.queues().map((queue) => ({ queue, from: Math.max(from, queue.livePos), upTo })));
    this.#waiting = this.#waiting.filter((event) => event.pos > upTo);
    this.#lostAfter = undefined;
  }

  async #lookAt({ room, nid, pos, ord, event }: LiveEvent): Promise<void> {
    const recipients = this.#recipientsOf(room, pos, event);
    if (recipients.length === 0) return;
    const dag = await this.#ctx.rooms.dags.openByNid(room);
    const outcomes = await EventOutcomes.of(this.#ctx, dag, event);
    for (const user of recipients) {
      const { notify, tweaks } = await outcomes.for(user);
      if (!notify) continue;
      for (const queue of user.queues.values()) {
        if (!queue.isEnabled || pos <= queue.livePos) continue;
        queue.add({ room, nid, pos, ord, tweaks, tsMs: this.#ctx.clock.nowMs() });
        this.#progress.follow(queue);
        queue.start();
      }
    }
  }

  /** Whoever was joined when it came, and who is invited by it. */
  #recipientsOf(room: number, pos: number, event: RoomEvent): PushUser[] {
    const users: PushUser[] = [];
    for (const user of this.#users.membersOf(room))
      if ((user.rooms.get(room) ?? 0) <= pos && user.userId !== event.sender) users.push(user);
    const invited = this.#invitedBy(event);
    if (invited !== undefined && !users.includes(invited)) users.push(invited);
    return users;
  }

  #invitedBy({ type, stateKey, content }: RoomEvent): PushUser | undefined {
    if (type !== 'm.room.member' || content['membership'] !== 'invite') return undefined;
    return stateKey !== undefined && isUserId(stateKey) ? this.#users.findById(stateKey) : undefined;
  }
}

/** Other work gets its turn between them. */
const eventsPerTurn = 50;

/** Everything up to there was told, or did not need to be. See pusher-store.ts. */
function startOf(queue: Queue, lookedAtPos: number): number {
  return queue.isBehindOnDisk ? queue.row.told_pos : Math.max(queue.row.told_pos, lookedAtPos);
}
