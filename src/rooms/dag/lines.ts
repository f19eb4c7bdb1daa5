/**
 * Reading the state log. Everything here works on a LineSource, so that the same functions read what is committed and
 * what a unit under way is about to add.
 */
import { BEFORE_ALL, type Point } from './state-point.ts';

export interface LineHeader {
  readonly line: number;
  readonly parent: Point | null;
  /** Number of parents up to the root. */
  readonly depth: number;
  /** Is or was the main line (R8). */
  readonly main: boolean;
}
/** From `pos` on the key has `event` (null: it is absent). `prev`: its value in the state before that event (R3). */
export interface LineChange {
  readonly pos: number;
  readonly event: number | null;
  readonly prev: number | null;
}

/** State keys and events are the numbers under which they are interned and stored. */
export interface LineSource {
  header(line: number): Promise<LineHeader>;
  /** The newest row at or below `pos` of each key that has one on this line itself. */
  changesAt(line: number, pos: number, skeys: readonly number[]): Promise<ReadonlyMap<number, LineChange>>;
  /** Position of the newest row at or below `pos`; undefined: this line itself has none. */
  lastPos(line: number, pos: number): Promise<number | undefined>;
  /** Keys with a row in (above, upTo] of this line itself, with repetitions. Throws TooManyChanges beyond the source's limit. */
  changedKeys(line: number, above: number, upTo: number): Promise<readonly number[]>;
  /** Every key of this line itself at `pos`: O(keys). */
  completeAt(line: number, pos: number): Promise<ReadonlyMap<number, number | null>>;
}

/** Two states lie further apart than the bound on the work for one event. */
export class TooManyChanges extends Error {
  override readonly name = 'TooManyChanges';
}

/** The event of each key that is present at the point. At most one round of seeks per parent line. */
export async function eventsAt(
  source: LineSource,
  point: Point,
  skeys: Iterable<number>,
): Promise<Map<number, number>> {
  const found = new Map<number, number>();
  let wanted = [...skeys];
  let at: Point | null = point;
  while (at !== null && wanted.length > 0) {
    const changes = await source.changesAt(at.line, at.pos, wanted);
    for (const [skey, change] of changes) if (change.event !== null) found.set(skey, change.event);
    if (changes.size > 0) wanted = wanted.filter((skey) => !changes.has(skey));
    at = (await source.header(at.line)).parent;
  }
  return found;
}

export async function eventAt(source: LineSource, point: Point, skey: number): Promise<number | undefined> {
  return (await eventsAt(source, point, [skey])).get(skey);
}

/** The same state, written with the smallest position: two canonical points of one line are equal iff nothing changed between. */
export async function canonicalPoint(source: LineSource, point: Point): Promise<Point> {
  let at = point;
  for (;;) {
    const pos = await source.lastPos(at.line, at.pos);
    if (pos !== undefined) return { line: at.line, pos };
    const { parent } = await source.header(at.line);
    if (parent === null) return { line: at.line, pos: BEFORE_ALL };
    at = parent;
  }
}

/** The point and its parent points up to the root. */
export async function pathOf(source: LineSource, point: Point): Promise<Point[]> {
  const path = [point];
  let { parent } = await source.header(point.line);
  while (parent !== null) {
    path.push(parent);
    ({ parent } = await source.header(parent.line));
  }
  return path;
}

/** Keys that may differ between two points, and all that do: those with rows on both ways down from the nearest common point. */
export async function differingKeys(source: LineSource, a: Point, b: Point): Promise<Set<number>> {
  const [pathA, pathB] = [await pathOf(source, a), await pathOf(source, b)];
  const fork = commonLine(pathA, pathB);
  const keys = new Set<number>();
  const scan = async (line: number, above: number, upTo: number) => {
    for (const skey of await source.changedKeys(line, above, upTo)) keys.add(skey);
  };
  for (const at of pathA.slice(0, fork?.a)) await scan(at.line, BEFORE_ALL, at.pos);
  for (const at of pathB.slice(0, fork?.b)) await scan(at.line, BEFORE_ALL, at.pos);
  if (fork !== undefined) {
    const [first, second] = [pathA[fork.a]!, pathB[fork.b]!];
    await scan(first.line, Math.min(first.pos, second.pos), Math.max(first.pos, second.pos));
  }
  return keys;
}

/** The complete state: O(keys). For clients that ask for all of it, never for an event on its way. */
export async function completeState(source: LineSource, point: Point): Promise<Map<number, number>> {
  const merged = new Map<number, number | null>();
  for (const at of (await pathOf(source, point)).reverse())
    for (const [skey, event] of await source.completeAt(at.line, at.pos)) merged.set(skey, event);
  const present = new Map<number, number>();
  for (const [skey, event] of merged) if (event !== null) present.set(skey, event);
  return present;
}

function commonLine(pathA: readonly Point[], pathB: readonly Point[]): { a: number; b: number } | undefined {
  for (const [a, at] of pathA.entries()) {
    const b = pathB.findIndex((other) => other.line === at.line);
    if (b >= 0) return { a, b };
  }
  return undefined;
}
