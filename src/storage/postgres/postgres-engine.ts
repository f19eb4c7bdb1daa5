import { Kysely, PostgresDialect, PostgresQueryCompiler } from 'kysely';
import pg from 'pg';
import type { QueryBuilder } from '../database.ts';
import type { Diagnostics, Engine, GroupOutcome, Row, UnitProgram } from '../engine.ts';
import { DatabaseRefused } from '../migrate.ts';
import type { BoundValue, CompiledStatement } from '../query.ts';
import type { Schema } from '../schema.ts';
import { escapeText, typeParsers, wireValue } from './values.ts';
import { WriterConnection, connectTimeoutMs } from './writer-connection.ts';
import { PostgresWriter, lastGroup } from './writer.ts';

export interface PostgresOptions {
  /** postgres://user:password@host:port/database */
  readonly url: string;
  /** How many connections read at the same time. */
  readonly readersMax?: number;
}

/** See `openDatabase`. `prepare` runs first, while no other process can write. */
export async function openPostgresEngine(
  options: PostgresOptions,
  prepare: (db: Kysely<never>) => Promise<void>,
): Promise<Engine> {
  const connection = await WriterConnection.open(options.url);
  try {
    await refuseOtherEncodings(connection);
    const pool = new pg.Pool({ connectionString: options.url, types: typeParsers, max: 1 });
    const db = new Kysely<never>({ dialect: new PostgresDialect({ pool }) });
    try {
      await prepare(db);
    } finally {
      await db.destroy();
    }
    await connection.ask(`INSERT INTO sequence (name, reserved_until) VALUES ('group', 0) ON CONFLICT DO NOTHING`);
    await connection.prepareControls();
    const writer = new PostgresWriter(options.url, connection, await lastGroup(connection));
    return new PostgresEngine(options, writer);
  } catch (error) {
    await connection.end();
    throw error;
  }
}

class PostgresEngine implements Engine {
  readonly name = 'postgres';
  readonly #pool: pg.Pool;
  readonly #writer: PostgresWriter;
  readonly #builder: QueryBuilder;

  constructor(options: PostgresOptions, writer: PostgresWriter) {
    this.#writer = writer;
    this.#pool = new pg.Pool({
      connectionString: options.url,
      types: typeParsers,
      max: options.readersMax ?? 10,
      keepAlive: true,
      connectionTimeoutMillis: connectTimeoutMs,
      application_name: 'veche reader',
      options: '-c default_transaction_read_only=on',
    });
    // an idle connection was lost: the pool has dropped it, and opens another when one is needed
    this.#pool.on('error', () => {});
    this.#builder = new Kysely<Schema>({ dialect: new EscapingDialect({ pool: this.#pool }) });
  }

  async all(statement: CompiledStatement, values: readonly BoundValue[]): Promise<Row[]> {
    const query = { name: `s${statement.index}`, text: statement.sql, values: values.map(wireValue) };
    return (await this.#pool.query<Row>(query)).rows;
  }

  dynamic<T>(build: (q: QueryBuilder) => { execute(): Promise<T> }): Promise<T> {
    return build(this.#builder).execute();
  }

  runGroup(units: readonly UnitProgram[]): Promise<GroupOutcome> {
    return this.#writer.runGroup(units);
  }

  async diagnostics(): Promise<Diagnostics> {
    const [row] = await this.#writer.ask(
      `SELECT current_setting('server_version') AS version, current_setting('synchronous_commit') AS synchronous,
        current_setting('wal_level') AS wal_level`,
    );
    return {
      engine: 'postgres',
      version: String(row?.['version']),
      synchronous: String(row?.['synchronous']),
      journalMode: String(row?.['wal_level']),
      ...this.#writer.counts(),
    };
  }

  async close(): Promise<void> {
    await this.#writer.close();
    await this.#pool.end();
  }
}

async function refuseOtherEncodings(connection: WriterConnection): Promise<void> {
  const [row] = await connection.ask('SHOW server_encoding');
  const encoding = String(row?.['server_encoding']);
  if (encoding !== 'UTF8')
    throw new DatabaseRefused(
      `the database has the encoding ${encoding}, which cannot hold every text; create it with ENCODING 'UTF8' TEMPLATE template0`,
    );
}

/** kysely's own queries, with texts as those of prepared statements go: see values.ts. */
class EscapingDialect extends PostgresDialect {
  override createQueryCompiler(): PostgresQueryCompiler {
    return new EscapingCompiler();
  }
}

class EscapingCompiler extends PostgresQueryCompiler {
  protected override addParameter(parameter: unknown): void {
    super.addParameter(typeof parameter === 'string' ? escapeText(parameter) : parameter);
  }
}
