/**
 * The one door to the database, the same on SQLite and PostgreSQL.
 *
 * Reads see committed data only. Writes are units: everything that must be true together is one unit, and a unit
 * either happens whole or not at all. Units are carried out in the order in which they were handed in; many of them share
 * one commit (docs/decisions), and `write` resolves when that commit is on disk.
 */
import type { Kysely } from 'kysely';
import type { Schema } from './schema.ts';

export type QueryBuilder = Kysely<Schema>;

/** A statement compiled once for both engines (see `defineRead` and `defineWrite` in query.ts). `P`: its named parameters. */
export interface ReadQuery<P, Row> {
  readonly kind: 'read';
  readonly name: string;
  /** Only for type inference; never set. */
  readonly types?: { params: P; row: Row };
}
export interface WriteQuery<P, Row = never> {
  readonly kind: 'write';
  readonly name: string;
  readonly types?: { params: P; row: Row };
}

/** What a commit makes visible, for those who follow the stream. Domain folders extend this map by declaration merging. */
export interface WakeKinds {
  /** Something was interned or counted; nobody waits for it. */
  none: Record<never, never>;
}
export type Wake = { [K in keyof WakeKinds]: { kind: K } & WakeKinds[K] }[keyof WakeKinds];

export interface UnitBuilder {
  /** The next position of the stream that all of sync reads. To be called inside `write` only, so that positions are committed in order. */
  nextPos(): number;
  run<P>(query: WriteQuery<P, unknown>, params: P, options?: StatementOptions): void;
  /** Told to `onCommitted` listeners, in order, after the commit. */
  wake(wake: Wake): void;
  /** The unit fails when the unit that this promise stands for failed. */
  requires(earlier: UnitTicket): void;
}
export interface StatementOptions {
  /** The unit fails with UnexpectedChanges when the statement changed another number of rows. */
  readonly changes?: number;
}

export interface UnitResult {
  /** Rows of RETURNING statements, one entry per `run`, in order. */
  readonly rows: readonly (readonly Record<string, unknown>[])[];
  /** How many rows each `run` changed, in order. */
  readonly changes: readonly number[];
}
/** Stands for a unit that was handed in. */
export interface UnitTicket {
  readonly serial: number;
  /** Rejects with UnitFailed (cause: the engine's error) when this unit or one that it requires failed. */
  readonly committed: Promise<UnitResult>;
}

export interface Commit {
  /** Everything at or below this position is on disk and readable. */
  readonly pos: number;
  readonly wakes: readonly Wake[];
}

export interface Database {
  readonly engine: 'sqlite' | 'postgres';
  all<P, Row>(query: ReadQuery<P, Row>, params: P): Promise<Row[]>;
  /** The first row, or undefined. */
  one<P, Row>(query: ReadQuery<P, Row>, params: P): Promise<Row | undefined>;
  /** For queries whose shape depends on the request (administration, filters). Slower: compiled at each call. */
  dynamic<T>(build: (q: QueryBuilder) => { execute(): Promise<T> }): Promise<T>;

  /** `build` runs synchronously, at once. */
  write(build: (unit: UnitBuilder) => void): UnitTicket;
  /** A new id for a row: unique for ever in this database, also across restarts. */
  nextId(): number;
  /** Highest position whose unit, and all before it, are committed. Sync tokens are made of it. */
  committedPos(): number;
  /** Called synchronously after each commit, in commit order, before the `committed` promises of its units resolve. */
  onCommitted(listener: (commit: Commit) => void): () => void;
  /** Resolves when everything handed in so far is settled. */
  drained(): Promise<void>;
  close(): Promise<void>;
}

/** A unit did not happen. `cause` has the engine's error. */
export class UnitFailed extends Error {
  override readonly name = 'UnitFailed';
}
/** Why a unit failed, told apart because callers answer differently. */
export class UniqueViolation extends Error {
  override readonly name = 'UniqueViolation';
}
export class UnexpectedChanges extends Error {
  override readonly name = 'UnexpectedChanges';
}
