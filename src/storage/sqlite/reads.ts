import type Sqlite from 'better-sqlite3';
import { Kysely, SqliteDialect } from 'kysely';
import type { QueryBuilder } from '../database.ts';
import type { Row } from '../engine.ts';
import type { BoundValue, CompiledStatement } from '../query.ts';
import type { Schema } from '../schema.ts';

/** The reading side: statements are prepared once, and whatever would write is refused. */
export class SqliteReads {
  /** For queries of changing shape. */
  readonly builder: QueryBuilder;
  readonly #connection: Sqlite.Database;
  readonly #byIndex: Sqlite.Statement[] = [];
  /** Statements of `builder`, by their SQL. */
  readonly #bySql = new Map<string, Sqlite.Statement>();

  constructor(connection: Sqlite.Database) {
    this.#connection = connection;
    const database = { prepare: (text: string) => this.#cached(text), close: () => {} };
    this.builder = new Kysely<Schema>({ dialect: new SqliteDialect({ database }) });
  }

  all(statement: CompiledStatement, values: readonly BoundValue[]): Row[] {
    const prepared = (this.#byIndex[statement.index] ??= this.#prepare(statement.sql));
    // better-sqlite3 cannot know the columns; defineRead has checked them
    return prepared.all(values) as Row[];
  }

  close(): void {
    if (this.#connection.open) this.#connection.close();
  }

  #cached(text: string): Sqlite.Statement {
    let statement = this.#bySql.get(text);
    if (statement === undefined) {
      statement = this.#prepare(text);
      const [oldest] = this.#bySql.keys();
      if (this.#bySql.size >= cachedStatementsMax && oldest !== undefined) this.#bySql.delete(oldest);
      this.#bySql.set(text, statement);
    }
    return statement;
  }

  #prepare(text: string): Sqlite.Statement {
    const statement = this.#connection.prepare(text);
    if (!statement.reader || !statement.readonly) throw new Error(`writes are units of write(): ${text}`);
    return statement;
  }
}

const cachedStatementsMax = 200;
