/** The state log as it is on disk. */
import type { Reads } from '../../storage/snapshot.ts';
import { Lru } from '../../platform/lru.ts';
import {
  LineFlag,
  changeAt,
  changedKeys,
  changesAt,
  completeAt,
  lastChangePos,
  lineById,
} from '../../storage/stores/state-line-store.ts';
import { type LineChange, type LineHeader, type LineSource, TooManyChanges } from './lines.ts';

const HEADERS_CACHED_MAX = 4096;
const UNLIMITED = Number.MAX_SAFE_INTEGER - 1;

export class CommittedLines implements LineSource {
  readonly #db: Reads;
  readonly #headers = new Lru<number, LineHeader>({ sizeMax: HEADERS_CACHED_MAX });

  constructor(db: Reads) {
    this.#db = db;
  }

  async header(line: number): Promise<LineHeader> {
    const cached = this.#headers.find(line);
    if (cached !== undefined) return cached;
    const row = await this.#db.one(lineById, { line });
    if (row === undefined) throw new Error(`state line ${line} does not exist`);
    const header: LineHeader = {
      line,
      parent: row.parent === null ? null : { line: row.parent, pos: row.parent_pos ?? 0 },
      depth: row.depth,
      main: (row.flags & LineFlag.main) !== 0,
    };
    this.#headers.set(line, header);
    return header;
  }

  async changesAt(line: number, pos: number, skeys: readonly number[]): Promise<ReadonlyMap<number, LineChange>> {
    const rows =
      skeys.length === 1
        ? await this.#db.all(changeAt, { line, pos, skey: skeys[0]! })
        : await this.#db.all(changesAt, { line, pos, skeys: [...skeys] });
    return new Map(rows.map((row) => [row.skey, { pos: row.pos, event: row.event, prev: row.prev }]));
  }

  async lastPos(line: number, pos: number): Promise<number | undefined> {
    return (await this.#db.one(lastChangePos, { line, pos }))?.pos ?? undefined;
  }

  async changedKeys(line: number, above: number, upTo: number, rowsMax = UNLIMITED): Promise<readonly number[]> {
    const rows = await this.#db.all(changedKeys, { line, above, upTo, limit: rowsMax + 1 });
    if (rows.length > rowsMax) throw new TooManyChanges(`more than ${rowsMax} state changes on line ${line}`);
    return rows.map((row) => row.skey);
  }

  async completeAt(line: number, pos: number): Promise<ReadonlyMap<number, number | null>> {
    const rows = await this.#db.all(completeAt, { line, pos });
    return new Map(rows.map((row) => [row.skey, row.event]));
  }

  /** A line's flags changed, or it is gone. */
  forget(line: number): void {
    this.#headers.delete(line);
  }
}
