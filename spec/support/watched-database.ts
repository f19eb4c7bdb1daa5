/** A database whose reads a spec can count and hold back, and whose writes it can make fail: for races and faults. */
import type { Commit, Database, QueryBuilder, ReadQuery, UnitBuilder, UnitTicket } from '../../src/storage/database.ts';
import { dropTransactionsBefore } from '../../src/storage/stores/txn-store.ts';

export interface HeldRead {
  /** Resolves when the read has its rows and waits. */
  readonly reached: Promise<void>;
  release(): void;
}

export class WatchedDatabase implements Database {
  readonly #db: Database;
  readonly #held = new Map<string, { reached: () => void; released: Promise<void> }>();
  readonly #failures = new Set<number>();
  #writes = 0;
  /** Names of the queries that were read, oldest first. */
  readonly reads: string[] = [];
  /** Names of the statements that were handed in to be written, oldest first. */
  readonly written: string[] = [];
  /** By statements that have been committed. */
  rowsChanged = 0;

  constructor(db: Database) {
    this.#db = db;
  }

  /** The next read of this name gets its rows and hands them over only when it is released. */
  holdNext(name: string): HeldRead {
    const reached = Promise.withResolvers<void>();
    const released = Promise.withResolvers<void>();
    this.#held.set(name, { reached: reached.resolve, released: released.promise });
    return { reached: reached.promise, release: released.resolve };
  }

  /** The next unit that is handed in is refused by the database when it is carried out; or the one after so many others. */
  failNextWrite(others = 0): void {
    this.#failures.add(this.#writes + others);
  }
  /** Units that are to be refused and have not come. */
  get failuresToCome(): number {
    return [...this.#failures].filter((write) => write >= this.#writes).length;
  }

  get engine(): 'sqlite' | 'postgres' {
    return this.#db.engine;
  }
  async all<P, Row>(query: ReadQuery<P, Row>, params: P): Promise<Row[]> {
    this.reads.push(query.name);
    const held = this.#held.get(query.name);
    this.#held.delete(query.name);
    const rows = await this.#db.all(query, params);
    held?.reached();
    await held?.released;
    return rows;
  }
  async one<P, Row>(query: ReadQuery<P, Row>, params: P): Promise<Row | undefined> {
    const [row] = await this.all(query, params);
    return row;
  }
  dynamic<T>(build: (q: QueryBuilder) => { execute(): Promise<T> }): Promise<T> {
    return this.#db.dynamic(build);
  }
  write(build: (unit: UnitBuilder) => void): UnitTicket {
    const fails = this.#failures.has(this.#writes++);
    const ticket = this.#db.write((unit) => {
      build({
        nextPos: () => unit.nextPos(),
        wake: (wake) => unit.wake(wake),
        requires: (earlier) => unit.requires(earlier),
        run: (query, params, options) => {
          this.written.push(query.name);
          unit.run(query, params, options);
        },
      });
      // Nothing is that old, so no row is deleted and the unit does not happen.
      if (fails) unit.run(dropTransactionsBefore, { ts: -1 }, { changes: 1 });
    });
    ticket.committed.then(
      ({ changes }) => (this.rowsChanged += changes.reduce((sum, rows) => sum + rows, 0)),
      () => undefined,
    );
    return ticket;
  }
  nextId(): number {
    return this.#db.nextId();
  }
  committedPos(): number {
    return this.#db.committedPos();
  }
  onCommitted(listener: (commit: Commit) => void): () => void {
    return this.#db.onCommitted(listener);
  }
  drained(): Promise<void> {
    return this.#db.drained();
  }
  close(): Promise<void> {
    return this.#db.close();
  }
}
