import type Sqlite from 'better-sqlite3';
import type { Timers, Workers } from '../../platform/ports.ts';
import { type QueryBuilder, UnexpectedChanges, UniqueViolation } from '../database.ts';
import type { Diagnostics, Engine, FailureCode, GroupOutcome, Row, UnitOutcome, UnitProgram } from '../engine.ts';
import type { BoundValue, CompiledStatement } from '../query.ts';
import { type SqliteOptions, openReaderConnection } from './connection.ts';
import { SqliteReads } from './reads.ts';
import { WriterClient } from './writer-client.ts';
import { writerHandler } from './writer-worker.ts';
import type { WriterReport } from './writer.ts';

/**
 * Reads run here, in the main thread, on a connection that cannot write: a point read costs less than a message to a
 * thread. Groups go to the writer's thread, which has the only connection that writes.
 */
export function threadedSqliteEngine(
  options: SqliteOptions,
  workers: Workers,
  timers: Timers,
  release: () => void,
): Engine {
  const module = new URL('./writer-worker.ts', import.meta.url);
  const writer = new WriterClient(() => workers.start(module, options));
  return new SqliteEngine(openReaderConnection(options), writer, timers, release);
}

/** Everything on one connection in this thread, for a store in memory and for simulations. */
export function inlineSqliteEngine(connection: Sqlite.Database, release: () => void): Engine {
  const handler = writerHandler(connection);
  const writer = new WriterClient(() => ({ call: async (request) => handler(request), close: async () => {} }));
  return new SqliteEngine(connection, writer, undefined, release);
}

/** How long nobody must have written before the log is brought into the database. */
const idleMs = 5_000;

class SqliteEngine implements Engine {
  readonly name = 'sqlite';
  readonly #reads: SqliteReads;
  readonly #writer: WriterClient;
  readonly #timers: Timers | undefined;
  readonly #release: () => void;
  /** Groups since the last time the log was emptied. */
  #groups = 0;
  #idleCheckRuns = false;

  constructor(reader: Sqlite.Database, writer: WriterClient, timers: Timers | undefined, release: () => void) {
    this.#reads = new SqliteReads(reader);
    this.#writer = writer;
    this.#timers = timers;
    this.#release = release;
  }

  async all(statement: CompiledStatement, values: readonly BoundValue[]): Promise<Row[]> {
    return this.#reads.all(statement, values);
  }

  dynamic<T>(build: (q: QueryBuilder) => { execute(): Promise<T> }): Promise<T> {
    return build(this.#reads.builder).execute();
  }

  async runGroup(units: readonly UnitProgram[]): Promise<GroupOutcome> {
    this.#groups++;
    this.#watchForIdleness();
    try {
      const report = await this.#writer.runGroup(units);
      if (report.lost !== undefined) return { kind: 'lost', error: new Error(report.lost) };
      return { kind: 'settled', units: outcomesOf(units, report) };
    } catch (cause) {
      return { kind: 'lost', error: new Error("the writer's thread has ended", { cause }) };
    }
  }

  diagnostics(): Promise<Diagnostics> {
    return this.#writer.diagnostics();
  }

  async close(): Promise<void> {
    // the writer last: only a connection that can write brings the log into the database when it is the last to close
    this.#reads.close();
    await this.#writer.close();
    this.#release();
  }

  #watchForIdleness(): void {
    if (this.#idleCheckRuns || this.#timers === undefined) return;
    this.#idleCheckRuns = true;
    const groups = this.#groups;
    this.#timers.after(idleMs, () => {
      this.#idleCheckRuns = false;
      if (this.#groups !== groups) this.#watchForIdleness();
      else this.#writer.idle();
    });
  }
}

const noRows: readonly Row[] = [];

function outcomesOf(units: readonly UnitProgram[], report: WriterReport): UnitOutcome[] {
  const failures = new Map(report.failures.map(([unit, code, message]) => [unit, errorOf(code, message)]));
  const returned = Map.groupBy(report.rows, ([unit]) => unit);
  let at = 0;
  return units.map((unit, index) => {
    const error = failures.get(index);
    if (error !== undefined) return { kind: 'failed', error };
    const changes = report.changes.slice(at, at + unit.statements.length);
    at += unit.statements.length;
    const rows = unit.statements.map(() => noRows);
    for (const [, statement, given] of returned.get(index) ?? []) rows[statement] = given;
    return { kind: 'done', rows, changes };
  });
}

function errorOf(code: FailureCode, message: string): Error {
  if (code === 'unique') return new UniqueViolation(message);
  return code === 'changes' ? new UnexpectedChanges(message) : new Error(message);
}
