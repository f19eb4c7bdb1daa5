/** What one unit is about to add to the state log, read together with what is committed. */
import type { UnitBuilder } from '../../storage/database.ts';
import { LineFlag, insertChange, insertLine, insertMain, markLineMain } from '../../storage/stores/state-line-store.ts';
import type { CommittedLines } from './committed-lines.ts';
import {
  type LineChange,
  type LineHeader,
  type LineSource,
  TooManyChanges,
  eventAt,
  eventsAt,
  pathOf,
} from './lines.ts';
import { BEFORE_ALL, NOW, type Point, type VirtualState } from './state-point.ts';

/** Beyond this many parents a new line hangs off the root (R7). */
export const LINE_DEPTH_MAX = 8;

interface DraftRow extends LineChange {
  readonly skey: number;
}
export interface DraftChange {
  readonly event: number | null;
  readonly prev: number | null;
}

export class LineDraft implements LineSource {
  readonly #committed: CommittedLines;
  readonly #newLineId: () => number;
  readonly #depthMax: number;
  readonly #opened = new Map<number, LineHeader>();
  /** Per line in order of position. */
  readonly #rows = new Map<number, DraftRow[]>();
  readonly #mains: { fromPos: number; line: number }[] = [];
  #rowsLeft: number;

  /** `rowsMax`: how many state changes the whole unit may look through before it throws TooManyChanges. */
  constructor(committed: CommittedLines, newLineId: () => number, depthMax: number, rowsMax: number) {
    this.#committed = committed;
    this.#newLineId = newLineId;
    this.#depthMax = depthMax;
    this.#rowsLeft = rowsMax;
  }

  async header(line: number): Promise<LineHeader> {
    const header = this.#opened.get(line) ?? (await this.#committed.header(line));
    const main = header.main || this.#mains.some((switched) => switched.line === line);
    return main === header.main ? header : { ...header, main };
  }

  async changesAt(line: number, pos: number, skeys: readonly number[]): Promise<ReadonlyMap<number, LineChange>> {
    const rows = this.#rows.get(line);
    if (rows === undefined) return this.#opened.has(line) ? new Map() : this.#committed.changesAt(line, pos, skeys);
    const found = new Map<number, LineChange>();
    const wanted = new Set(skeys);
    for (const row of rows) if (row.pos <= pos && wanted.has(row.skey)) found.set(row.skey, row);
    const rest = skeys.filter((skey) => !found.has(skey));
    if (rest.length === 0 || this.#opened.has(line)) return found;
    for (const [skey, change] of await this.#committed.changesAt(line, pos, rest)) found.set(skey, change);
    return found;
  }

  async lastPos(line: number, pos: number): Promise<number | undefined> {
    const drafted = this.#rows.get(line)?.findLast((row) => row.pos <= pos)?.pos;
    return drafted ?? (this.#opened.has(line) ? undefined : this.#committed.lastPos(line, pos));
  }

  async changedKeys(line: number, above: number, upTo: number): Promise<readonly number[]> {
    const committed = this.#opened.has(line)
      ? []
      : await this.#committed.changedKeys(line, above, upTo, this.#rowsLeft);
    this.#rowsLeft -= committed.length;
    const drafted = this.#rows.get(line)?.filter((row) => row.pos > above && row.pos <= upTo);
    return drafted === undefined ? committed : [...committed, ...drafted.map((row) => row.skey)];
  }

  async completeAt(line: number, pos: number): Promise<ReadonlyMap<number, number | null>> {
    const complete = new Map(this.#opened.has(line) ? [] : await this.#committed.completeAt(line, pos));
    for (const row of this.#rows.get(line) ?? []) if (row.pos <= pos) complete.set(row.skey, row.event);
    return complete;
  }

  /** Whether something can be found out without looking through more than so many state changes. */
  async isWithin(rowsMax: number, work: () => Promise<unknown>): Promise<boolean> {
    const rowsLeft = this.#rowsLeft;
    this.#rowsLeft = Math.min(rowsLeft, Math.max(0, rowsMax));
    try {
      await work();
      return true;
    } catch (error) {
      if (error instanceof TooManyChanges) return false;
      throw error;
    } finally {
      this.#rowsLeft = rowsLeft;
    }
  }

  /** Whether the unit adds rows to the line. */
  isDrafted(line: number): boolean {
    return this.#rows.has(line);
  }

  /** A new line without rows. */
  async open(parent: Point | null): Promise<number> {
    const line = this.#newLineId();
    const depth = parent === null ? 0 : (await this.header(parent.line)).depth + 1;
    this.#opened.set(line, { line, parent, depth, main: false });
    return line;
  }

  /** Positions on a line only grow. */
  put(line: number, skey: number, pos: number, change: DraftChange): void {
    const row = { skey, pos, event: change.event, prev: change.prev };
    const rows = this.#rows.get(line);
    if (rows === undefined) {
      this.#rows.set(line, [row]);
      return;
    }
    if (rows.at(-1)!.pos > pos) throw new Error(`rows of line ${line} must grow`);
    rows.push(row);
  }

  /** From `fromPos` on the line is the room's main line (R11). */
  switchMain(line: number, fromPos: number): void {
    this.#mains.push({ line, fromPos });
  }

  /**
   * Stores `base` plus changes at `pos` and says where (R7): appended if base is the tip of a line that may grow, else
   * on a child line, which hangs off the root with a copy of the rows between when the chain of parents gets too long.
   */
  async write(base: Point, changes: ReadonlyMap<number, DraftChange>, pos: number): Promise<Point> {
    if (changes.size === 0) return base;
    let { line } = base;
    if (!(await this.#mayGrow(base, pos))) {
      const { depth } = await this.header(line);
      line = depth + 1 > this.#depthMax ? await this.#flatten(base, changes, pos) : await this.open(base);
    }
    for (const [skey, change] of changes) this.put(line, skey, pos, change);
    return { line, pos };
  }

  /** Stores a state, and the event of `own` in it if there is one: its prev is the value before (R3). */
  async store(state: VirtualState, own: { skey: number; nid: number } | undefined, pos: number): Promise<Point> {
    const changes = new Map<number, DraftChange>();
    for (const [skey, event] of state.difference) changes.set(skey, { event, prev: null });
    if (own !== undefined) {
      const prev = (await virtualEventAt(this, state, own.skey)) ?? null;
      changes.set(own.skey, { event: own.nid, prev });
    }
    return this.write(state.base, changes, pos);
  }

  /** The statements, with the unit's position in place of NOW. */
  emit(unit: UnitBuilder, room: number, pos: number): void {
    const real = (at: number) => (at === NOW ? pos : at);
    for (const { line, parent, depth } of this.#opened.values()) {
      const flags = this.#mains.some((switched) => switched.line === line) ? LineFlag.main : 0;
      const parentPos = parent === null ? null : real(parent.pos);
      unit.run(insertLine, { line, room, parent: parent?.line ?? null, parentPos, depth, flags });
    }
    for (const [line, rows] of this.#rows)
      for (const row of rows)
        unit.run(insertChange, { line, skey: row.skey, pos: real(row.pos), event: row.event, prev: row.prev });
    for (const { line, fromPos } of this.#mains) {
      if (!this.#opened.has(line)) unit.run(markLineMain, { line }, { changes: 1 });
      unit.run(insertMain, { room, fromPos: real(fromPos), line });
      unit.wake({ kind: 'mainLineChanged', room });
    }
  }

  async #mayGrow(base: Point, pos: number): Promise<boolean> {
    if ((await this.header(base.line)).main) return false;
    const tip = (await this.lastPos(base.line, NOW)) ?? BEFORE_ALL;
    return tip <= base.pos && tip < pos;
  }

  /** A line off the root of `base` that holds what the lines between changed, but for what is about to change. */
  async #flatten(base: Point, changes: ReadonlyMap<number, DraftChange>, pos: number): Promise<number> {
    const path = await pathOf(this, base);
    const root = path.at(-1)!;
    const keys = new Set<number>();
    for (const at of path.slice(0, -1))
      for (const skey of await this.changedKeys(at.line, BEFORE_ALL, at.pos)) keys.add(skey);
    for (const skey of changes.keys()) keys.delete(skey);
    const events = await eventsAt(this, base, keys);
    const line = await this.open(root);
    for (const skey of keys) this.put(line, skey, pos, { event: events.get(skey) ?? null, prev: null });
    return line;
  }
}

export async function virtualEventAt(
  source: LineSource,
  state: VirtualState,
  skey: number,
): Promise<number | undefined> {
  const different = state.difference.get(skey);
  return different === undefined ? eventAt(source, state.base, skey) : (different ?? undefined);
}

export async function virtualEventsAt(
  source: LineSource,
  state: VirtualState,
  skeys: readonly number[],
): Promise<Map<number, number>> {
  if (state.difference.size === 0) return eventsAt(source, state.base, skeys);
  const events = await eventsAt(
    source,
    state.base,
    skeys.filter((skey) => !state.difference.has(skey)),
  );
  for (const skey of skeys) {
    const different = state.difference.get(skey);
    if (different !== undefined && different !== null) events.set(skey, different);
  }
  return events;
}
