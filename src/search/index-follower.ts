/**
 * Keeps the search index up with the stream. What is committed is told here and indexed a moment later; how far that has come is
 * written with it. After a start, and when more came than is kept in memory, what lies behind is read from the database, room
 * by room, so that a database from before there was an index is indexed like one that was interrupted.
 */
import { limits } from '../platform/limits.ts';
import type { Timers } from '../platform/ports.ts';
import type { RoomsContext } from '../rooms/context.ts';
import { firstOrdAfter } from '../rooms/pagination-token.ts';
import type { Commit, Wake } from '../storage/database.ts';
import {
  type SearchProgress,
  type SearchableRow,
  roomsChangedAfter,
  searchProgress,
  searchableAfter,
  searchableElsewhere,
} from '../storage/stores/search-store.ts';
import { type IndexWork, IndexWriter, workOfEvent } from './index-writer.ts';

/**
 * Of one unit. Entries that are written together cost a fraction of what each costs alone, but messages wait for them: these
 * take the writer a few ms.
 */
const worksPerUnit = 250;
const charsPerUnit = 256 * 1024;
/** Whoever searches does not wait for more to come; a commit of its own for each message would be half of all commits. */
const gatherMs = 5_000;
const sliceRooms = 500;
const retryMs = 5_000;

interface Waiting {
  readonly pos: number;
  readonly works: readonly IndexWork[];
}

export interface FollowerOptions {
  readonly timers: Pick<Timers, 'after' | 'soon'>;
  readonly onFailed: (error: unknown) => void;
}

export class IndexFollower {
  readonly #ctx: Pick<RoomsContext, 'db' | 'states'>;
  readonly #options: FollowerOptions;
  readonly #writer: IndexWriter;
  readonly #unfollow: () => void;
  #queue: Waiting[] = [];
  #queued = 0;
  /** Everything that was committed since the beginning of #queue is in it. */
  #isWhole = false;
  /** What lies behind is indexed, so that #queue is all that is missing. */
  #isLive = false;
  #isClosed = false;
  #work: Promise<void> | undefined;
  /** While fewer works are there than a unit can have: writes what there is. */
  #endGathering: (() => void) | undefined;
  /** How many wait until nothing is left. */
  #settling = 0;
  #waiters: { readonly pos: number; readonly resolve: () => void }[] = [];

  constructor(ctx: Pick<RoomsContext, 'db' | 'states'>, options: FollowerOptions) {
    this.#ctx = ctx;
    this.#options = options;
    this.#writer = new IndexWriter(ctx);
    this.#unfollow = ctx.db.onCommitted((commit) => this.#follow(commit));
    this.#run();
  }

  /** Resolves when what is committed now is indexed, or at once while what lies behind is still being read. */
  async caughtUp(): Promise<void> {
    if (!this.#isLive || this.#work === undefined) return;
    const pos = this.#ctx.db.committedPos();
    const told = new Promise<void>((resolve) => this.#waiters.push({ pos, resolve }));
    this.#endGathering?.();
    await told;
  }
  /** Resolves when nothing is left to do. */
  async settled(): Promise<void> {
    this.#settling++;
    this.#endGathering?.();
    while (this.#work !== undefined) await this.#work;
    this.#settling--;
  }

  /** What was not indexed by then is after the next start. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#unfollow();
    this.#endGathering?.();
    this.#tell(Infinity);
    await this.#work;
  }

  #follow({ pos, wakes }: Commit): void {
    if (!this.#isWhole) return;
    const works: IndexWork[] = [];
    for (const wake of wakes) {
      const work = workOfWake(wake);
      if (work !== undefined) works.push(work);
    }
    if (works.length === 0) return;
    this.#queue.push({ pos, works });
    this.#queued += works.length;
    if (this.#queued > limits.searchQueueMax) this.#forgetQueue();
    if (this.#queued >= worksPerUnit) this.#endGathering?.();
    this.#run();
  }

  #forgetQueue(): void {
    this.#queue = [];
    this.#queued = 0;
    this.#isWhole = false;
  }

  #run(): void {
    if (this.#work !== undefined || this.#isClosed) return;
    this.#work = this.#loop()
      .catch((error: unknown) => {
        if (this.#isClosed) return;
        this.#options.onFailed(error);
        this.#forgetQueue();
        this.#options.timers.after(retryMs, () => this.#run());
      })
      .finally(() => {
        this.#work = undefined;
        this.#tell(Infinity);
        if (this.#queue.length > 0) this.#run();
      });
  }

  /** Those who wait for what was committed by a position. */
  #tell(pos: number): void {
    const [told, waiting] = [
      this.#waiters.filter((one) => one.pos <= pos),
      this.#waiters.filter((one) => one.pos > pos),
    ];
    this.#waiters = waiting;
    for (const { resolve } of told) resolve();
  }

  async #loop(): Promise<void> {
    while (!this.#isClosed) {
      if (!this.#isWhole) await this.#catchUp();
      await this.#gather();
      const { works, pos } = this.#takeWorks();
      if (pos === undefined) {
        if (this.#isWhole) return;
        continue;
      }
      await this.#writer.write(works, progressAt(pos));
      this.#tell(pos);
      await this.#letOthersRun();
    }
  }

  /** As many as a unit may have, and the position up to which they reach. */
  #takeWorks(): { readonly works: readonly IndexWork[]; readonly pos: number | undefined } {
    const works: IndexWork[] = [];
    let pos: number | undefined;
    let [taken, chars] = [0, 0];
    for (const next of this.#queue) {
      if (works.length >= worksPerUnit || chars >= charsPerUnit) break;
      taken++;
      pos = next.pos;
      for (const work of next.works) {
        works.push(work);
        if (work.kind === 'text') chars += work.text.length;
      }
    }
    this.#queue.splice(0, taken);
    this.#queued -= works.length;
    return { works, pos };
  }

  async #gather(): Promise<void> {
    const isHurried = this.#waiters.length > 0 || this.#settling > 0 || this.#isClosed;
    if (isHurried || this.#queued === 0 || this.#queued >= worksPerUnit) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = this.#options.timers.after(gatherMs, resolve);
    this.#endGathering = resolve;
    await promise;
    this.#endGathering = undefined;
    timer.cancel();
  }

  /** First what an interrupted round has left, then everything up to now, while #queue gathers what comes from now on. */
  async #catchUp(): Promise<void> {
    this.#isLive = false;
    const before = (await this.#ctx.db.one(searchProgress, {})) ?? progressAt(0);
    if (before.target !== null) await this.#index({ ...before, target: before.target });
    if (this.#isClosed) return;
    const target = this.#ctx.db.committedPos();
    this.#isWhole = true;
    await this.#index({ ...progressAt(before.target ?? before.pos), target });
    this.#isLive = this.#isWhole;
  }

  async #index(round: SearchProgress & { readonly target: number }): Promise<void> {
    const start = round.pos === 0 ? Number.MIN_SAFE_INTEGER : firstOrdAfter(round.pos) - 1;
    if (round.room > 0) await this.#indexRoom(round, round.room, Math.max(start, round.ord));
    for (let above = round.room; !this.#isClosed;) {
      const query = { above, ord: start, pos: round.pos, limit: sliceRooms };
      const rooms = await this.#ctx.db.all(roomsChangedAfter, query);
      for (const { room, changed } of rooms) if (changed === 1) await this.#indexRoom(round, room, start);
      const last = rooms.at(-1);
      if (last === undefined || rooms.length < sliceRooms) break;
      above = last.room;
      await this.#letOthersRun();
    }
    if (!this.#isClosed) await this.#writer.write([], progressAt(round.target));
  }

  async #indexRoom(round: SearchProgress, room: number, from: number): Promise<void> {
    const elsewhere = round.pos === 0 ? [] : await this.#ctx.db.all(searchableElsewhere, { room, pos: round.pos });
    for (let at = 0; at < elsewhere.length; at += worksPerUnit)
      await this.#writeRows(elsewhere.slice(at, at + worksPerUnit), { ...round, room, ord: from });
    for (let ord = from; !this.#isClosed;) {
      const rows = await this.#ctx.db.all(searchableAfter, { room, ord, limit: worksPerUnit });
      const last = rows.at(-1);
      if (last === undefined) return;
      ord = last.ord;
      await this.#writeRows(rows, { ...round, room, ord });
      if (rows.length < worksPerUnit) return;
      await this.#letOthersRun();
    }
  }

  async #writeRows(rows: readonly SearchableRow[], progress: SearchProgress): Promise<void> {
    const works = await Promise.all(rows.map((row) => this.#writer.workOfRow(row)));
    await this.#writer.write(
      works.filter((work) => work !== undefined),
      progress,
    );
  }

  #letOthersRun(): Promise<void> {
    return new Promise((resolve) => {
      this.#options.timers.soon(resolve);
    });
  }
}

function workOfWake(wake: Wake): IndexWork | undefined {
  if (wake.kind === 'event') return workOfEvent(wake.room, wake.nid, wake.event);
  return wake.kind === 'redaction' ? { kind: 'removal', nid: wake.nid } : undefined;
}

const progressAt = (pos: number): SearchProgress => ({ pos, target: null, room: 0, ord: Number.MIN_SAFE_INTEGER });
