/** How much the state log of a room takes. */
import type { Reads } from '../../storage/snapshot.ts';
import { linesOfRoom } from '../../storage/stores/room-purge-store.ts';
import { allRows } from './vacuum.ts';

export interface StateSize {
  readonly lines: number;
  readonly rows: number;
  /** What the rows and their second index hold; pages of the database are not all full, so it takes about half as much again. */
  readonly bytes: number;
}

export async function measureState(db: Reads, room: number): Promise<StateSize> {
  const lines = await db.all(linesOfRoom, { room });
  let [rows, bytes] = [0, 0];
  for (const { line } of lines)
    for await (const row of allRows(db, line)) {
      rows++;
      const indexed = bytesOf(line) + bytesOf(row.skey) + bytesOf(row.pos) + bytesOf(row.event);
      // each record has a byte for its size, one for its header's and one for each column
      bytes += indexed + bytesOf(row.prev) + 7 + indexed + 6;
    }
  return { lines: lines.length, rows, bytes };
}

/** An integer in SQLite's record format. https://www.sqlite.org/fileformat2.html#record_format */
function bytesOf(integer: number | null): number {
  if (integer === null || integer === 0 || integer === 1) return 0;
  const magnitude = Math.abs(integer);
  if (magnitude < 2 ** 7) return 1;
  if (magnitude < 2 ** 15) return 2;
  if (magnitude < 2 ** 23) return 3;
  if (magnitude < 2 ** 31) return 4;
  return magnitude < 2 ** 47 ? 6 : 8;
}
