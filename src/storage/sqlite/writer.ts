/** Runs groups of units on the one connection that writes; the same code in the writer's thread and inline. */
import Sqlite from 'better-sqlite3';
import type { Diagnostics, FailureCode, Row } from '../engine.ts';
import { busyTimeoutMs } from './connection.ts';
import type { DecodedStatement, DecodedUnit } from './group-message.ts';

export interface WriterReport {
  /** Set when nothing of the group happened: a full disk, an I/O error. */
  readonly lost?: string;
  /** Rows changed by each statement of each unit, one after another; a failed unit has none. */
  readonly changes: readonly number[];
  /** Rows of statements with RETURNING that gave any. */
  readonly rows: readonly (readonly [unit: number, statement: number, rows: readonly Row[]])[];
  readonly failures: readonly (readonly [unit: number, code: FailureCode, message: string])[];
}

/** `reader` is asked once: each question is a call into the addon. */
interface Prepared {
  readonly statement: Sqlite.Statement;
  readonly returnsRows: boolean;
}

export class SqliteWriter {
  readonly #connection: Sqlite.Database;
  /** By the statements' indexes. */
  readonly #sql: string[] = [];
  readonly #prepared: Prepared[] = [];
  readonly #begin: Sqlite.Statement;
  readonly #commit: Sqlite.Statement;
  readonly #rollback: Sqlite.Statement;
  readonly #savepoint: Sqlite.Statement;
  readonly #release: Sqlite.Statement;
  readonly #rollbackToSavepoint: Sqlite.Statement;
  #commits = 0;
  #units = 0;

  constructor(connection: Sqlite.Database) {
    this.#connection = connection;
    this.#begin = connection.prepare('BEGIN IMMEDIATE');
    this.#commit = connection.prepare('COMMIT');
    this.#rollback = connection.prepare('ROLLBACK');
    this.#savepoint = connection.prepare('SAVEPOINT unit');
    this.#release = connection.prepare('RELEASE unit');
    this.#rollbackToSavepoint = connection.prepare('ROLLBACK TO unit');
  }

  learn(statements: readonly (readonly [number, string])[]): void {
    for (const [index, sql] of statements) this.#sql[index] = sql;
  }

  /**
   * Runs the units plainly at first, because savepoints make SQLite keep a copy of each page that a unit touches. Only when
   * a unit fails halfway, the transaction is begun again with a savepoint for each unit.
   */
  runGroup(units: readonly DecodedUnit[]): WriterReport {
    try {
      // left over when an earlier rollback failed with the disk
      if (this.#connection.inTransaction) this.#rollback.run();
      const report = this.#attempt(units, false) ?? this.#attempt(units, true);
      if (report === undefined) throw new Error('a unit could not be undone');
      return report;
    } catch (error) {
      return { lost: this.#abandon(messageOf(error)), changes: [], rows: [], failures: [] };
    }
  }

  /** Brings the write-ahead log into the database and cuts it to nothing, unless somebody reads from it just now. */
  truncateLog(): void {
    // without waiting: a long reader would hold up every unit
    this.#connection.pragma('busy_timeout = 0');
    try {
      this.#connection.pragma('wal_checkpoint(TRUNCATE)');
    } finally {
      this.#connection.pragma(`busy_timeout = ${busyTimeoutMs}`);
    }
  }

  diagnostics(): Diagnostics {
    const single = (sql: string) => this.#connection.prepare<[], unknown>(sql).pluck().get();
    return {
      engine: 'sqlite',
      version: String(single('SELECT sqlite_version()')),
      synchronous: String(single('PRAGMA synchronous')),
      journalMode: String(single('PRAGMA journal_mode')),
      commits: this.#commits,
      units: this.#units,
      rowsChanged: Number(single('SELECT total_changes()')),
    };
  }

  /** Undefined when a unit failed that cannot be undone alone without savepoints. Throws what concerns the whole group. */
  #attempt(units: readonly DecodedUnit[], savepoints: boolean): WriterReport | undefined {
    const attempt = new Attempt();
    this.#begin.run();
    for (let i = 0; i < units.length; i++) {
      const unit = units[i]!;
      attempt.startUnit();
      if (unit.requires.some((earlier) => attempt.failed.has(earlier))) {
        attempt.fail(i, 'required', 'a write that it builds on failed');
        continue;
      }
      if (savepoints) this.#savepoint.run();
      const failure = this.#runUnit(unit, i, attempt);
      if (failure === undefined) {
        if (savepoints) this.#release.run();
        continue;
      }
      if (savepoints) {
        this.#rollbackToSavepoint.run();
        this.#release.run();
      } else if (failure.dirty) {
        this.#rollback.run();
        return undefined;
      }
      attempt.fail(i, failure.code, failure.message);
    }
    this.#commit.run();
    this.#commits++;
    this.#units += units.length;
    return attempt.report();
  }

  /** Undefined when all went well. */
  #runUnit(unit: DecodedUnit, index: number, attempt: Attempt): UnitFailure | undefined {
    let dirty = false;
    for (let i = 0; i < unit.statements.length; i++) {
      const decoded = unit.statements[i]!;
      let changes: number;
      try {
        changes = this.#runStatement(decoded, index, i, attempt);
      } catch (error) {
        if (concernsAll(error) || !this.#connection.inTransaction) throw error;
        return { code: codeOf(error), message: messageOf(error), dirty };
      }
      dirty ||= changes > 0;
      if (decoded.changes >= 0 && decoded.changes !== changes) {
        const message = `${changes} rows changed, ${decoded.changes} expected: ${this.#sql[decoded.index] ?? ''}`;
        return { code: 'changes', message, dirty };
      }
      attempt.changes.push(changes);
    }
    return undefined;
  }

  #runStatement(decoded: DecodedStatement, unit: number, index: number, attempt: Attempt): number {
    const { statement, returnsRows } = this.#prepared[decoded.index] ?? this.#prepare(decoded.index);
    if (!returnsRows) return statement.run(decoded.values).changes;
    const rows = statement.all(decoded.values) as Row[];
    if (rows.length > 0) attempt.rows.push([unit, index, rows]);
    return rows.length;
  }

  #prepare(index: number): Prepared {
    const sql = this.#sql[index];
    if (sql === undefined) throw new Error(`statement ${index} was never sent`);
    const statement = this.#connection.prepare(sql);
    return (this.#prepared[index] = { statement, returnsRows: statement.reader });
  }

  /** Gives the message of what went wrong. A rollback that fails too is tried again before the next group. */
  #abandon(message: string): string {
    try {
      if (this.#connection.inTransaction) this.#rollback.run();
      return message;
    } catch (error) {
      return `${message}; then ${messageOf(error)}`;
    }
  }
}

/** What one run through a group has found so far. */
class Attempt {
  readonly changes: number[] = [];
  readonly rows: [number, number, Row[]][] = [];
  readonly failed = new Set<number>();
  readonly #failures: [number, FailureCode, string][] = [];
  #changesBefore = 0;

  startUnit(): void {
    this.#changesBefore = this.changes.length;
  }

  fail(unit: number, code: FailureCode, message: string): void {
    this.changes.length = this.#changesBefore;
    while (this.rows.at(-1)?.[0] === unit) this.rows.pop();
    this.failed.add(unit);
    this.#failures.push([unit, code, message]);
  }

  report(): WriterReport {
    return { changes: this.changes, rows: this.rows, failures: this.#failures };
  }
}

interface UnitFailure {
  readonly code: FailureCode;
  readonly message: string;
  /** The unit has changed something before it failed. */
  readonly dirty: boolean;
}

const aboutTheUnit = /^SQLITE_(CONSTRAINT|ERROR$|MISMATCH|TOOBIG|RANGE)/;

/** Whether an error is about the disk or the connection, and not about what the statement says. */
function concernsAll(error: unknown): boolean {
  return error instanceof Sqlite.SqliteError && !aboutTheUnit.test(error.code);
}

function codeOf(error: unknown): FailureCode {
  const code = error instanceof Sqlite.SqliteError ? error.code : '';
  return /^SQLITE_CONSTRAINT_(UNIQUE|PRIMARYKEY|ROWID)$/.test(code) ? 'unique' : 'other';
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
