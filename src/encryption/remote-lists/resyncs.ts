/**
 * Lists that may not be right are asked for, one at a time of each server, until they are. Which these are is in the database, so that
 * a restart forgets none. https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1userdevicesuserid
 */
import { limits } from '../../platform/limits.ts';
import type { TimerHandle } from '../../platform/ports.ts';
import { Semaphore } from '../../platform/semaphore.ts';
import type { RemoteListsContext } from './context.ts';
import { wasRight } from './kept-lists.ts';
import { readUserDevices, type ToldList } from './read-update.ts';
import { changesBetween, isNothing, unlessForgotten, writeList, writeNews } from './write-kept.ts';

interface Wish {
  readonly userNid: number;
  /** Since when the list may not be right, the last time that this was found. */
  pos: number;
  failures: number;
  /** On the monotonic clock. */
  notBeforeMs: number;
  /** That nothing newer can be had was told to those who share a room. */
  isTold: boolean;
}

interface Line {
  readonly serverNid: number;
  /** The one that was tried longest ago first. */
  readonly wishes: Map<number, Wish>;
  work: Promise<void> | undefined;
  timer: TimerHandle | undefined;
}

export class Resyncs {
  readonly #ctx: RemoteListsContext;
  readonly #lines = new Map<number, Line>();
  readonly #turns = new Semaphore(limits.deviceListResyncsAtOnceMax, Infinity);
  readonly #writes = new Set<Promise<void>>();
  #isClosed = false;

  constructor(ctx: RemoteListsContext) {
    this.#ctx = ctx;
  }

  /** The database says so already: the list may not be right since the position. */
  want(serverNid: number, userNid: number, pos: number): void {
    const line = this.#lines.get(serverNid) ?? newLine(serverNid);
    this.#lines.set(serverNid, line);
    const wish = line.wishes.get(userNid);
    if (wish === undefined) line.wishes.set(userNid, { userNid, pos, failures: 0, notBeforeMs: 0, isTold: false });
    else {
      wish.pos = Math.max(wish.pos, pos);
      wish.isTold = false;
    }
    this.#run(line);
  }

  /** The server can be reached again, it seems. */
  retryNow(serverNid: number): void {
    const line = this.#lines.get(serverNid);
    if (line === undefined) return;
    for (const wish of line.wishes.values()) wish.notBeforeMs = 0;
    this.#run(line);
  }

  /** Whether nothing is being asked for at this moment. */
  isQuiet(): boolean {
    return [...this.#lines.values()].every(({ work }) => work === undefined);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const { timer } of this.#lines.values()) timer?.cancel();
    // Nobody waits for answers that are still to come.
    await Promise.all(this.#writes);
  }

  #run(line: Line): void {
    if (line.work !== undefined || this.#isClosed) return;
    line.timer?.cancel();
    line.timer = undefined;
    line.work = this.#workOff(line)
      .catch((error: unknown) => {
        this.#ctx.onFailed(error);
        return limits.deviceListRetryMs;
      })
      .then((waitMs) => {
        line.work = undefined;
        if (this.#isClosed) return;
        if (waitMs !== undefined) line.timer = this.#ctx.timers.after(waitMs, () => this.#run(line));
        else if (line.wishes.size === 0) this.#lines.delete(line.serverNid);
        else this.#run(line);
      });
  }

  /** How long to wait until there is more to do; undefined: there is nothing left. */
  async #workOff(line: Line): Promise<number | undefined> {
    const { clock, names, backingOff } = this.#ctx;
    while (line.wishes.size > 0 && !this.#isClosed) {
      const nowMs = clock.monotonicMs();
      const wish = nextDue(line, nowMs);
      if (wish === undefined) return Math.max(1, earliestMs(line) - nowMs);
      const waitMs = backingOff.retryInMs(await names.serverName(line.serverNid));
      if (waitMs > 0) return waitMs;
      await this.#turns.run(() => this.#attempt(line, wish));
    }
    return undefined;
  }

  async #attempt(line: Line, wish: Wish): Promise<void> {
    const { names, remoteKeys, kept } = this.#ctx;
    const { userNid, pos } = wish;
    if (this.#isClosed) return;
    if ((await kept.one(userNid)) === undefined) return void line.wishes.delete(userNid);
    const userId = await names.userId(userNid);
    const answer = await remoteKeys.devices(userId, limits.remoteKeysTimeoutMsMax);
    if (this.#isClosed) return;
    const list = answer && readUserDevices(userId, answer);
    if (list === undefined) return this.#failed(line, wish);
    const written = this.#store(wish, pos, list).finally(() => this.#writes.delete(written));
    this.#writes.add(written);
    await written;
    wish.failures = 0;
    // What came meanwhile may not be in it.
    if (wish.pos === pos) line.wishes.delete(userNid);
  }

  #store(wish: Wish, askedPos: number, { streamId, keys }: ToldList): Promise<void> {
    const { db, kept, listLocks } = this.#ctx;
    const { userNid } = wish;
    return listLocks.run(userNid, async () => {
      const before = await kept.one(userNid);
      if (before === undefined) return;
      const changes = changesBetween(before.keys, keys);
      // Nobody here was told what was never had.
      const isNews = wasRight(before) && !isNothing(changes);
      const written = db.write((unit) => {
        writeList(unit, userNid, { streamId, stalePos: wish.pos === askedPos ? 0 : wish.pos }, changes);
        if (isNews) writeNews(unit, userNid, unit.nextPos());
      });
      await unlessForgotten(written);
    });
  }

  async #failed(line: Line, wish: Wish): Promise<void> {
    const { clock, random, kept, db } = this.#ctx;
    wish.failures += 1;
    const waitMs = Math.min(
      limits.deviceListRetryMsMax,
      limits.deviceListRetryMs * 2 ** Math.min(wish.failures - 1, 20),
    );
    wish.notBeforeMs = clock.monotonicMs() + waitMs - random.int(Math.floor(waitMs / 4));
    line.wishes.delete(wish.userNid);
    line.wishes.set(wish.userNid, wish);
    if (wish.isTold || !wasRight(await kept.one(wish.userNid))) return;
    // Whoever asks is told that the server cannot be reached, and asks again.
    await db.write((unit) => writeNews(unit, wish.userNid, unit.nextPos())).committed;
    wish.isTold = true;
  }
}

const newLine = (serverNid: number): Line => ({ serverNid, wishes: new Map(), work: undefined, timer: undefined });

function nextDue({ wishes }: Line, nowMs: number): Wish | undefined {
  for (const wish of wishes.values()) if (wish.notBeforeMs <= nowMs) return wish;
  return undefined;
}

function earliestMs({ wishes }: Line): number {
  let earliest = Infinity;
  for (const { notBeforeMs } of wishes.values()) earliest = Math.min(earliest, notBeforeMs);
  return earliest;
}
