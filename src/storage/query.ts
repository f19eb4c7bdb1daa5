/**
 * Queries are written once with kysely, compiled once per engine at their first use, and run as prepared statements:
 * kysely's own way of compiling at every call costs ten times the query.
 */
import { type CompiledQuery, PostgresAdapter, type RawBuilder, sql } from 'kysely';
import type { QueryBuilder, ReadQuery, WriteQuery } from './database.ts';
import { type Compiled, type EngineName, ParameterMarker, compilerFor } from './query-compilers.ts';

/** What a column takes. */
export type Value = number | string | Buffer | null;

/**
 * `p.nid` stands for the parameter `nid` wherever kysely takes a value. `p.list('nids')` stands on the right of `in` or
 * `not in`, for a list of any length (numbers or strings) in one parameter.
 * On PostgreSQL a placeholder has the type of what it stands beside; where that is not the wanted one (arithmetic with a
 * constant, a limit, a bare select), write `bigint(p.limit)`.
 */
export type Placeholders<P> = {
  readonly [K in keyof P as P[K] extends readonly unknown[] ? never : K]: RawBuilder<P[K]>;
} & {
  list<K extends ListNames<P>>(name: K): RawBuilder<ListElement<P[K]>>;
};
type ListElement<T> = T extends readonly (infer E)[] ? E : never;
type ListNames<P> = { [K in keyof P]: P[K] extends readonly (number | string)[] ? K : never }[keyof P];

/** The placeholder as an integer, where PostgreSQL cannot tell its type. */
export const bigint = (value: RawBuilder<number>): RawBuilder<number> => sql<number>`cast(${value} as bigint)`;

/**
 * Many rows in one parameter, JSON text of a list of lists: stands where a table does, under the name `e`. `jsonText(0)` and
 * `jsonInteger(0)` are the first column. A text that may hold U+0000 has to be inside of a JSON text of its own.
 */
export function jsonRows(q: QueryBuilder, rows: RawBuilder<string>): RawBuilder<unknown> {
  return q.getExecutor().adapter instanceof PostgresAdapter
    ? sql`jsonb_array_elements(cast(cast(${rows} as text) as jsonb)) as e(value)`
    : sql`json_each(${rows}) as e`;
}
export const jsonText = (column: number): RawBuilder<string> => sql<string>`(e.value ->> ${sql.lit(column)})`;
export const jsonInteger = (column: number): RawBuilder<number> =>
  sql<number>`cast(e.value ->> ${sql.lit(column)} as bigint)`;

/** For the few queries that both engines need written differently. */
export const isForPostgres = (q: QueryBuilder): boolean => q.getExecutor().adapter instanceof PostgresAdapter;

/** What a query is made of: a kysely builder, or a `sql` template, whose rows are `Row`. */
type Built<Row> = (BuiltByKysely & { execute(): Promise<Row[]> }) | RawBuilder<Row>;
type BuiltWrite<Row> = [Row] extends [never] ? BuiltByKysely | RawBuilder<unknown> : Built<Row>;
interface BuiltByKysely {
  compile(): CompiledQuery<unknown>;
}

/**
 * A query that only reads. Its name must be unique: it names the prepared statement and stands in errors.
 * Throws Error when the name is taken.
 */
export function defineRead<P, Row>(
  name: string,
  build: (q: QueryBuilder, p: Placeholders<P>) => Built<Row>,
): ReadQuery<P, Row> {
  return new Definition('read', name, (q) => build(q, placeholders<P>()).compile(q));
}

/** A statement that changes rows. `Row` is what its RETURNING clause gives, if it has one. Throws as `defineRead`. */
export function defineWrite<P, Row = never>(
  name: string,
  build: (q: QueryBuilder, p: Placeholders<P>) => BuiltWrite<Row>,
): WriteQuery<P, Row> {
  return new Definition('write', name, (q) => build(q, placeholders<P>()).compile(q));
}

/** One engine's form of a query. */
export interface CompiledStatement {
  readonly name: string;
  /** Numbers the statements of one engine from 0, in the order of their first use. */
  readonly index: number;
  readonly sql: string;
  readonly slots: readonly Slot[];
}
/** Where a positional parameter comes from: a named parameter, or a constant of the query. */
export type Slot =
  { readonly kind: 'parameter' | 'list'; readonly name: string } | { readonly kind: 'constant'; readonly value: Value };

/** The engine's form of a query made by `defineRead` or `defineWrite`; compiled at the first call. */
export function compiledStatement(query: { readonly name: string }, engine: EngineName): CompiledStatement {
  if (!(query instanceof Definition)) throw new Error(`${query.name} was not made by defineRead or defineWrite`);
  return query.forEngine(engine);
}

/** Every query whose module is loaded. */
export function definedQueries(): { readonly name: string; readonly kind: 'read' | 'write' }[] {
  return [...definitions.values()];
}

/**
 * Positional values of a statement; a list becomes JSON text for SQLite and stays an array for PostgreSQL.
 * Throws TypeError when a parameter is missing or cannot be stored.
 */
export function boundValues<P>(statement: CompiledStatement, params: P, engine: EngineName): BoundValue[] {
  const named = params as Readonly<Record<string, unknown>>;
  const { slots } = statement;
  const values: BoundValue[] = [];
  for (let i = 0; i < slots.length; i++) {
    const slot = slots[i]!;
    if (slot.kind === 'constant') values.push(slot.value);
    else {
      const value = named[slot.name];
      if (slot.kind === 'parameter' && isValue(value)) values.push(value);
      else if (slot.kind === 'list' && isList(value)) values.push(engine === 'sqlite' ? JSON.stringify(value) : value);
      else throw unfit(statement, slot.name, value);
    }
  }
  return values;
}
export type BoundValue = Value | readonly (number | string)[];

class Definition<Kind extends 'read' | 'write'> {
  readonly kind: Kind;
  readonly name: string;
  readonly #compile: (q: QueryBuilder) => Compiled;
  readonly #forms: Partial<Record<EngineName, CompiledStatement>> = {};

  constructor(kind: Kind, name: string, compile: (q: QueryBuilder) => Compiled) {
    if (definitions.has(name)) throw new Error(`there are two queries named ${name}`);
    definitions.set(name, this);
    this.kind = kind;
    this.name = name;
    this.#compile = compile;
  }

  forEngine(engine: EngineName): CompiledStatement {
    return (this.#forms[engine] ??= this.#compiledFor(engine));
  }

  #compiledFor(engine: EngineName): CompiledStatement {
    const { sql: text, parameters } = this.#compile(compilerFor(engine));
    const slots = parameters.map((parameter) => slotOf(this.name, parameter));
    return { name: this.name, index: statementCounts[engine]++, sql: text, slots };
  }
}

const definitions = new Map<string, Definition<'read' | 'write'>>();
const statementCounts: Record<EngineName, number> = { sqlite: 0, postgres: 0 };

function placeholders<P>(): Placeholders<P> {
  const list = (name: string) => sql`${new ParameterMarker(name, true)}`;
  const get = (_: object, name: string) => (name === 'list' ? list : sql`${new ParameterMarker(name, false)}`);
  // the compiler cannot see through a Proxy; the type says what `get` gives
  return new Proxy({}, { get }) as Placeholders<P>;
}

function slotOf(query: string, parameter: unknown): Slot {
  if (parameter instanceof ParameterMarker)
    return { kind: parameter.isList ? 'list' : 'parameter', name: parameter.name };
  if (isValue(parameter)) return { kind: 'constant', value: parameter };
  throw new TypeError(`${query} holds a constant that cannot be stored`);
}

function isValue(value: unknown): value is Value {
  return (
    typeof value === 'string' ||
    Number.isFinite(value) ||
    value === null ||
    (typeof value === 'object' && Buffer.isBuffer(value))
  );
}

function isList(value: unknown): value is readonly (number | string)[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string' || Number.isFinite(item));
}

function unfit(statement: CompiledStatement, name: string, value: unknown): TypeError {
  const what = value === undefined ? 'missing' : `a ${typeof value} that cannot be stored`;
  return new TypeError(`${statement.name}: parameter ${name} is ${what}`);
}
