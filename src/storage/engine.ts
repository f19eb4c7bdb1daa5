/** What SQLite and PostgreSQL each do for the database behind `Database`: run reads, and run groups of units. */
import type { QueryBuilder } from './database.ts';
import type { BoundValue, CompiledStatement } from './query.ts';
import type { EngineName } from './query-compilers.ts';

export type Row = Record<string, unknown>;

export interface Engine {
  readonly name: EngineName;
  all(statement: CompiledStatement, values: readonly BoundValue[]): Promise<Row[]>;
  dynamic<T>(build: (q: QueryBuilder) => { execute(): Promise<T> }): Promise<T>;
  /**
   * Carries out units in order and commits them together. A unit that fails is undone alone, as are those that require it.
   * Never rejects; is called again only after the promise has resolved. Units without statements are in no group.
   */
  runGroup(units: readonly UnitProgram[]): Promise<GroupOutcome>;
  /** What the live connections say about themselves; for tests and administration. */
  diagnostics(): Promise<Diagnostics>;
  close(): Promise<void>;
}

export interface UnitProgram {
  readonly statements: readonly BoundStatement[];
  /** Sum of the lengths of texts and blobs; bounds a group. */
  readonly bytes: number;
  /** Indexes, within the group, of units without which this one must fail. */
  readonly requires: readonly number[];
}
export interface BoundStatement {
  readonly statement: CompiledStatement;
  readonly values: readonly BoundValue[];
  readonly changes: number | undefined;
}

export type GroupOutcome =
  | { readonly kind: 'settled'; readonly units: readonly UnitOutcome[] }
  /** Nothing of the group happened, because of a disk, a connection, a thread: not because of what a unit says. */
  | { readonly kind: 'lost'; readonly error: Error };

export type UnitOutcome =
  | { readonly kind: 'done'; readonly rows: readonly (readonly Row[])[]; readonly changes: readonly number[] }
  | { readonly kind: 'failed'; readonly error: Error };

/** Why a unit failed, as a value that crosses threads. */
export type FailureCode = 'unique' | 'changes' | 'required' | 'other';

export interface Diagnostics {
  readonly engine: EngineName;
  readonly version: string;
  /** SQLite: PRAGMA synchronous of the writer (2 = FULL). PostgreSQL: synchronous_commit. */
  readonly synchronous: string;
  readonly journalMode: string;
  /** Since the start: transactions committed, units in them, rows changed by the writer's connection. */
  readonly commits: number;
  readonly units: number;
  readonly rowsChanged: number;
}
