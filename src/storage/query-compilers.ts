/** kysely as a compiler: one instance per engine, without a connection, that knows named parameters and lists. */
import {
  type BinaryOperationNode,
  type CompiledQuery,
  DummyDriver,
  Kysely,
  type LimitNode,
  type OperationNode,
  OperatorNode,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  RawNode,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  ValueNode,
} from 'kysely';
import type { QueryBuilder } from './database.ts';
import type { Schema } from './schema.ts';

export type EngineName = 'sqlite' | 'postgres';

/** The builder that compiles for an engine. Its queries cannot be executed. */
export function compilerFor(engine: EngineName): QueryBuilder {
  return compilers[engine];
}

/** Stands among a compiled query's parameters for a named one. */
export class ParameterMarker {
  readonly name: string;
  readonly isList: boolean;
  constructor(name: string, isList: boolean) {
    this.name = name;
    this.isList = isList;
  }
}

export type Compiled = Pick<CompiledQuery, 'sql' | 'parameters'>;

/**
 * SQLite plans a statement anew whenever a value is bound to a bare placeholder that its planner has looked at: in a comparison of a
 * query with ORDER BY, in LIMIT. That costs more than to run it. A sign before the placeholder, which changes no value, and a
 * limit that is computed keep the planner from looking.
 */
class SqliteCompiler extends SqliteQueryCompiler {
  protected override appendValue(parameter: unknown): void {
    if (!isList(parameter)) {
      this.append('+');
      return super.appendValue(parameter);
    }
    this.append('(select value from json_each(');
    super.appendValue(parameter);
    this.append('))');
  }

  protected override visitLimit(node: LimitNode): void {
    super.visitLimit(node);
    this.append(' + 0');
  }
}

/** `x in list` becomes `x = any($1)`, which uses an index and has one form for every length. */
class PostgresCompiler extends PostgresQueryCompiler {
  #listIsExpected = false;

  protected override visitBinaryOperation(node: BinaryOperationNode): void {
    const operator = OperatorNode.is(node.operator) ? node.operator.operator : undefined;
    if (!isListNode(node.rightOperand)) return super.visitBinaryOperation(node);
    if (operator !== 'in' && operator !== 'not in') throw new Error(whereListsStand);
    this.visitNode(node.leftOperand);
    this.append(operator === 'in' ? ' = any(' : ' <> all(');
    this.#listIsExpected = true;
    this.visitNode(node.rightOperand);
    this.#listIsExpected = false;
    this.append(')');
  }

  protected override appendValue(parameter: unknown): void {
    if (isList(parameter) && !this.#listIsExpected) throw new Error(whereListsStand);
    super.appendValue(parameter);
  }
}

const whereListsStand = 'a list stands on the right of "in" or "not in" of a where clause';

function isListNode(node: OperationNode): boolean {
  if (!RawNode.is(node)) return false;
  const [only] = node.parameters;
  return only !== undefined && ValueNode.is(only) && isList(only.value);
}

function isList(parameter: unknown): boolean {
  return parameter instanceof ParameterMarker && parameter.isList;
}

const compilers: Record<EngineName, QueryBuilder> = {
  sqlite: new Kysely<Schema>({
    dialect: {
      createAdapter: () => new SqliteAdapter(),
      createDriver: () => new DummyDriver(),
      createIntrospector: (db) => new SqliteIntrospector(db),
      createQueryCompiler: () => new SqliteCompiler(),
    },
  }),
  postgres: new Kysely<Schema>({
    dialect: {
      createAdapter: () => new PostgresAdapter(),
      createDriver: () => new DummyDriver(),
      createIntrospector: (db) => new PostgresIntrospector(db),
      createQueryCompiler: () => new PostgresCompiler(),
    },
  }),
};
