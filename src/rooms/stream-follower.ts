/**
 * Keeps what is derived from events up with the stream. What is committed is told here and written a moment later; how far that has
 * come is written with it. After a start, and when more came than is kept in memory, what lies behind is read from the database,
 * room by room, so that a database from before there was a derivation is followed like one that was interrupted.
 */
import { limits } from '../platform/limits.ts';
import type { Timers } from '../platform/ports.ts';
import type { Commit, Database, Wake } from '../storage/database.ts';
import { type StreamProgress, roomsChangedAfter, streamProgress } from '../storage/stores/stream-progress-store.ts';
import { firstOrdAfter } from './pagination-token.ts';

/** What is derived from events. A work that is done twice is the same as one that is done once. */
export interface Derivation<Work, Row extends StreamRow> {
  /** Names its progress in the database. */
  readonly name: string;
  /** Of a room's timeline behind an order value, in its order, at most `limit`. */
  rowsAfter(room: number, ord: number, limit: number): Promise<readonly Row[]>;
  /** Those that came in after a position and stand elsewhere in the room's timeline: found by no order value. */
  rowsElsewhere(room: number, pos: number): Promise<readonly Row[]>;
  /** undefined: nothing. */
  workOfRow(row: Row): Promise<Work | undefined>;
  /** The same of what is told with a commit; nothing that takes time. */
  workOfWake(wake: Wake): Work | undefined;
  /** Of the text that a work writes. */
  charsOf(work: Work): number;
  /** Writes works in their order, and that everything was derived up to there, in one unit. Resolves when it is on disk. */
  write(works: readonly Work[], progress: StreamProgress): Promise<void>;
}
export interface StreamRow {
  readonly ord: number;
}

/**
 * Of one unit. Entries of the search index that are written together cost a fraction of what each costs alone, but messages wait for them: these
 * take the writer a few ms.
 */
const worksPerUnit = 250;
const charsPerUnit = 256 * 1024;
/** Whoever needs it does not wait for more to come; a commit of its own for each message would be half of all commits. */
const gatherMs = 5_000;
const sliceRooms = 500;
/** Positions. */
const unnotedMax = 20_000;
const retryMs = 5_000;

interface Waiting<Work> {
  readonly pos: number;
  readonly works: readonly Work[];
}

export interface FollowerOptions {
  readonly timers: Pick<Timers, 'after' | 'soon'>;
  /** Told of failures; what failed is tried again. */
  readonly onFailed: (error: unknown) => void;
}

export class StreamFollower<Work, Row extends StreamRow> {
  readonly #db: Database;
  readonly #derivation: Derivation<Work, Row>;
  readonly #options: FollowerOptions;
  readonly #unfollow: () => void;
  #queue: Waiting<Work>[] = [];
  #queued = 0;
  /** Everything that was committed since the beginning of #queue is in it. */
  #isWhole = false;
  /** What lies behind is derived, so that #queue is all that is missing. */
  #isLive = false;
  #isClosed = false;
  /** The last position that went into #queue, or from which it was begun. */
  #toldPos = 0;
  #work: Promise<void> | undefined;
  /** While fewer works are there than a unit can have: writes what there is. */
  #endGathering: (() => void) | undefined;
  /** How many wait until nothing is left. */
  #settling = 0;
  #waiters: { readonly pos: number; readonly resolve: () => void }[] = [];

  constructor(db: Database, derivation: Derivation<Work, Row>, options: FollowerOptions) {
    this.#db = db;
    this.#derivation = derivation;
    this.#options = options;
    this.#unfollow = db.onCommitted((commit) => this.#follow(commit));
    this.#run();
  }

  /** Whether everything that was committed a moment ago is derived. */
  get isLive(): boolean {
    return this.#isLive;
  }

  /** Resolves when what is committed now is derived, or at once while what lies behind is still being read. */
  async caughtUp(): Promise<void> {
    if (!this.#isLive || this.#work === undefined) return;
    const pos = this.#db.committedPos();
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

  /** What was not derived by then is after the next start. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#unfollow();
    this.#endGathering?.();
    this.#tell(Infinity);
    await this.#work;
  }

  #follow({ pos, wakes }: Commit): void {
    if (!this.#isWhole) return;
    const works: Work[] = [];
    for (const wake of wakes) {
      const work = this.#derivation.workOfWake(wake);
      if (work !== undefined) works.push(work);
    }
    // Of what concerns nobody here it is noted now and then that it was seen, so that it is not read after the next start.
    if (works.length === 0 && (pos < this.#toldPos + unnotedMax || !this.#isLive)) return;
    this.#toldPos = pos;
    this.#queue.push({ pos, works });
    this.#queued += works.length;
    if (this.#queued > limits.followerQueueMax) this.#forgetQueue();
    if (this.#queued >= worksPerUnit) this.#endGathering?.();
    this.#run();
  }

  #forgetQueue(): void {
    this.#queue = [];
    this.#queued = 0;
    this.#isWhole = false;
    this.#isLive = false;
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
      await this.#derivation.write(works, progressAt(pos));
      this.#tell(pos);
      await this.#letOthersRun();
    }
  }

  /** As many as a unit may have, and the position up to which they reach. */
  #takeWorks(): { readonly works: readonly Work[]; readonly pos: number | undefined } {
    const works: Work[] = [];
    let pos: number | undefined;
    let [taken, chars] = [0, 0];
    for (const next of this.#queue) {
      if (works.length >= worksPerUnit || chars >= charsPerUnit) break;
      taken++;
      pos = next.pos;
      for (const work of next.works) {
        works.push(work);
        chars += this.#derivation.charsOf(work);
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
    const before = (await this.#db.one(streamProgress, { follower: this.#derivation.name })) ?? progressAt(0);
    if (before.target !== null) await this.#derive({ ...before, target: before.target });
    if (this.#isClosed) return;
    const target = this.#db.committedPos();
    this.#isWhole = true;
    await this.#derive({ ...progressAt(before.target ?? before.pos), target });
    this.#toldPos = target;
    this.#isLive = this.#isWhole;
  }

  async #derive(round: StreamProgress & { readonly target: number }): Promise<void> {
    const start = round.pos === 0 ? Number.MIN_SAFE_INTEGER : firstOrdAfter(round.pos) - 1;
    if (round.room > 0) await this.#deriveRoom(round, round.room, Math.max(start, round.ord));
    for (let above = round.room; !this.#isClosed;) {
      const query = { above, ord: start, pos: round.pos, limit: sliceRooms };
      const rooms = await this.#db.all(roomsChangedAfter, query);
      for (const { room, changed } of rooms) if (changed === 1) await this.#deriveRoom(round, room, start);
      const last = rooms.at(-1);
      if (last === undefined || rooms.length < sliceRooms) break;
      above = last.room;
      await this.#letOthersRun();
    }
    if (!this.#isClosed) await this.#derivation.write([], progressAt(round.target));
  }

  async #deriveRoom(round: StreamProgress, room: number, from: number): Promise<void> {
    const elsewhere = round.pos === 0 ? [] : await this.#derivation.rowsElsewhere(room, round.pos);
    for (let at = 0; at < elsewhere.length; at += worksPerUnit)
      await this.#writeRows(elsewhere.slice(at, at + worksPerUnit), { ...round, room, ord: from });
    for (let ord = from; !this.#isClosed;) {
      const rows = await this.#derivation.rowsAfter(room, ord, worksPerUnit);
      const last = rows.at(-1);
      if (last === undefined) return;
      ord = last.ord;
      await this.#writeRows(rows, { ...round, room, ord });
      if (rows.length < worksPerUnit) return;
      await this.#letOthersRun();
    }
  }

  async #writeRows(rows: readonly Row[], progress: StreamProgress): Promise<void> {
    const found = await Promise.all(rows.map((row) => this.#derivation.workOfRow(row)));
    const works = found.filter((work) => work !== undefined);
    // Reading a slice again costs less than a commit for each that has nothing.
    if (works.length > 0) await this.#derivation.write(works, progress);
  }

  #letOthersRun(): Promise<void> {
    return new Promise((resolve) => {
      this.#options.timers.soon(resolve);
    });
  }
}

const progressAt = (pos: number): StreamProgress => ({ pos, target: null, room: 0, ord: Number.MIN_SAFE_INTEGER });
