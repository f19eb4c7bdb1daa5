/** Which rows of the state log nobody can see any more (R13). */
import type { Reads } from '../../storage/snapshot.ts';
import { rowsOfLine } from '../../storage/stores/room-purge-store.ts';

const ROWS_PER_QUERY = 2_000;

export interface LineRow {
  readonly line: number;
  readonly skey: number;
  readonly pos: number;
  readonly event: number | null;
  readonly prev: number | null;
}

/**
 * A row stays iff a snapshot lies in [its position, position of the next row of its key). `snapshots`: positions at which
 * the line is still read. `readableFrom`: everything from there on can be read too, as on a main line.
 */
export async function sortRows(
  db: Reads,
  line: number,
  snapshots: readonly number[],
  readableFrom: number,
  each: (row: LineRow, stays: boolean) => void,
): Promise<void> {
  const sorted = [...snapshots].sort((a, b) => a - b);
  let previous: LineRow | undefined;
  const finish = (next: LineRow | undefined) => {
    if (previous === undefined) return;
    const end = next !== undefined && next.skey === previous.skey ? next.pos : Infinity;
    each(previous, end > readableFrom || isSeen(sorted, previous.pos, end));
  };
  for await (const row of allRows(db, line)) {
    finish(row);
    previous = row;
  }
  finish(undefined);
}

/** By key and position. */
export async function* allRows(db: Reads, line: number): AsyncGenerator<LineRow> {
  let after = { skey: -1, pos: -1 };
  for (;;) {
    const rows = await db.all(rowsOfLine, { line, ...after, limit: ROWS_PER_QUERY });
    for (const row of rows) yield { line, ...row };
    const last = rows.at(-1);
    if (last === undefined || rows.length < ROWS_PER_QUERY) return;
    after = { skey: last.skey, pos: last.pos };
  }
}

/** Whether a snapshot lies in [from, end). */
function isSeen(snapshots: readonly number[], from: number, end: number): boolean {
  let [low, high] = [0, snapshots.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (snapshots[middle]! < from) low = middle + 1;
    else high = middle;
  }
  return low < snapshots.length && snapshots[low]! < end;
}
