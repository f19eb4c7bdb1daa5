import pg from 'pg';
import { DatabaseRefused } from '../migrate.ts';
import type { BoundValue, CompiledStatement } from '../query.ts';
import { type Columns, Pipeline, StepFailed, type StepResult } from './pipeline.ts';
import { typeParsers, wireValue } from './values.ts';
import { WireBuffer } from './wire.ts';

/** A statement to run: one that was prepared, or one of the connection's own. */
export type Step =
  | { readonly statement: CompiledStatement; readonly values: readonly BoundValue[] }
  | { readonly control: Control; readonly values?: readonly BoundValue[] };
export type Control = keyof typeof controls;

const controls = {
  begin: 'BEGIN',
  commit: 'COMMIT',
  rollback: 'ROLLBACK',
  savepoint: 'SAVEPOINT unit',
  release: 'RELEASE unit',
  rollbackToSavepoint: 'ROLLBACK TO unit',
  // tells, after a lost connection, whether the last group was committed
  numberGroup: `UPDATE sequence SET reserved_until = $1 WHERE name = 'group'`,
} as const;

/** "veche" in ASCII. The lock is this database's own; only one process may write to it. */
const advisoryLock = 0x7665636865;
const lockTimeoutMs = 5_000;
export const connectTimeoutMs = 10_000;

/** The one connection that writes. It ends at the first sign that it is lost, and is not used again. */
export class WriterConnection {
  readonly #client: pg.Client;
  readonly #columns = new Map<number, Columns>();
  #isLost = false;

  private constructor(client: pg.Client) {
    this.#client = client;
    client.on('error', () => void (this.#isLost = true));
    client.on('end', () => void (this.#isLost = true));
  }

  /**
   * Takes the lock that keeps other processes out, and so waits until a connection that was lost has really ended, with
   * what it was committing. Throws DatabaseRefused when the lock does not get free.
   */
  static async open(url: string): Promise<WriterConnection> {
    const client = new pg.Client({
      connectionString: url,
      types: typeParsers,
      keepAlive: true,
      connectionTimeoutMillis: connectTimeoutMs,
      application_name: 'veche writer',
    });
    const connection = new WriterConnection(client);
    try {
      await client.connect();
      await connection.#lock();
      await client.query(`SELECT set_config('synchronous_commit', 'on', false)
        WHERE current_setting('synchronous_commit') IN ('off', 'local')`);
      return connection;
    } catch (error) {
      await connection.end();
      throw error;
    }
  }

  get isLost(): boolean {
    return this.#isLost;
  }

  /** One statement without preparation, for what is asked rarely. */
  async ask(text: string): Promise<Record<string, unknown>[]> {
    return (await this.#client.query<Record<string, unknown>>(text)).rows;
  }

  isPrepared(statement: CompiledStatement): boolean {
    return this.#columns.has(statement.index);
  }

  /** Throws StepFailed when the server does not accept the statement. Not to be called inside a transaction. */
  async prepare(statement: CompiledStatement): Promise<void> {
    const bytes = new WireBuffer(statement.sql.length + 100);
    bytes.parse(nameOf(statement), statement.sql);
    bytes.describeStatement(nameOf(statement));
    bytes.sync();
    const pipeline = new Pipeline(bytes.finish(), []);
    this.#client.query(pipeline);
    await pipeline.done;
    this.#columns.set(statement.index, pipeline.described);
  }

  /** Runs all steps in one round trip. Rejects with StepFailed at the first that fails; those after it are not run. */
  async run(steps: readonly Step[], bytesExpected = 0): Promise<readonly StepResult[]> {
    const bytes = new WireBuffer(bytesExpected + 256 * steps.length);
    const columns: Columns[] = [];
    for (const step of steps) {
      const values = step.values?.map(wireValue) ?? [];
      bytes.bind('statement' in step ? nameOf(step.statement) : step.control, values);
      bytes.execute();
      columns.push('statement' in step ? (this.#columns.get(step.statement.index) ?? []) : []);
    }
    bytes.sync();
    const pipeline = new Pipeline(bytes.finish(), columns);
    this.#client.query(pipeline);
    return pipeline.done;
  }

  async end(): Promise<void> {
    this.#isLost = true;
    // it may be lost already, and then there is nobody to say goodbye to
    await this.#client.end().catch(() => {});
  }

  /** Before the first `run`; the tables must be there. */
  async prepareControls(): Promise<void> {
    const bytes = new WireBuffer(1024);
    for (const [name, text] of Object.entries(controls)) bytes.parse(name, text);
    bytes.sync();
    const pipeline = new Pipeline(bytes.finish(), []);
    this.#client.query(pipeline);
    await pipeline.done;
  }

  async #lock(): Promise<void> {
    await this.#client.query(`SET lock_timeout = ${lockTimeoutMs}`);
    try {
      await this.#client.query('SELECT pg_advisory_lock($1)', [advisoryLock]);
    } catch (cause) {
      if (!(cause instanceof pg.DatabaseError) || cause.code !== '55P03') throw cause;
      throw new DatabaseRefused('another process has the database open; stop it first', { cause });
    }
    await this.#client.query('SET lock_timeout = DEFAULT');
  }
}

/** Whether an error says something about the statement's content, and not about the server or the connection. */
export function isAboutTheStatement(error: unknown): boolean {
  const cause = error instanceof StepFailed ? error.cause : error;
  // data, integrity, syntax and access rules: https://www.postgresql.org/docs/current/errcodes-appendix.html
  return cause instanceof pg.DatabaseError && /^(22|23|42)/.test(cause.code ?? '');
}

export function isUniqueViolation(error: unknown): boolean {
  return error instanceof StepFailed && error.cause instanceof pg.DatabaseError && error.cause.code === '23505';
}

function nameOf(statement: CompiledStatement): string {
  return `s${statement.index}`;
}
