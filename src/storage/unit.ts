import {
  type StatementOptions,
  type UnitBuilder,
  UnitFailed,
  type UnitResult,
  type UnitTicket,
  type Wake,
  type WriteQuery,
} from './database.ts';
import type { BoundStatement, UnitOutcome } from './engine.ts';
import { type BoundValue, boundValues, compiledStatement } from './query.ts';
import type { EngineName } from './query-compilers.ts';

/** A unit from the call of `write` until it is settled: first built, then waiting in the queue, then committed or failed. */
export class Unit implements UnitBuilder, UnitTicket {
  serial = 0;
  statements: BoundStatement[] = [];
  required: Unit[] = [];
  wakes: Wake[] = [];
  /** Sum of the lengths of texts and blobs. */
  bytes = 0;
  /** The highest position of this unit, 0 when it has none. */
  pos = 0;
  /** Index in the group that is being carried out, for units that require this one. */
  groupIndex = -1;
  /** Told when the unit is settled, before anybody else. */
  onSettled: (() => void) | undefined;
  readonly #engine: EngineName;
  readonly #drawPos: () => number;
  #built = false;
  #result: UnitResult | undefined;
  #error: UnitFailed | undefined;
  #promise: PromiseWithResolvers<UnitResult> | undefined;

  constructor(engine: EngineName, drawPos: () => number) {
    this.#engine = engine;
    this.#drawPos = drawPos;
  }

  nextPos(): number {
    this.#mustBeOpen();
    return (this.pos = this.#drawPos());
  }

  run<P>(query: WriteQuery<P, unknown>, params: P, options?: StatementOptions): void {
    this.#mustBeOpen();
    const statement = compiledStatement(query, this.#engine);
    const values = boundValues(statement, params, this.#engine);
    for (const value of values) this.bytes += sizeOf(value);
    this.statements.push({ statement, values, changes: options?.changes });
  }

  wake(wake: Wake): void {
    this.#mustBeOpen();
    this.wakes.push(wake);
  }

  requires(earlier: UnitTicket): void {
    this.#mustBeOpen();
    if (!(earlier instanceof Unit) || !earlier.#built)
      throw new Error('a unit can only require one that was handed in');
    if (!earlier.succeeded) this.required.push(earlier);
  }

  /** No more statements: the unit is in the queue. */
  seal(serial: number): void {
    this.serial = serial;
    this.#built = true;
  }

  get succeeded(): boolean {
    return this.#result !== undefined;
  }

  get failure(): UnitFailed | undefined {
    return this.#error;
  }

  /** The promise is made when somebody asks, so a unit that nobody waits for costs none. */
  get committed(): Promise<UnitResult> {
    if (this.#promise === undefined) {
      this.#promise = Promise.withResolvers();
      this.#tellPromise();
    }
    return this.#promise.promise;
  }

  /** Promises are told later, after the listeners of the commit: see `tell`. */
  settle(outcome: UnitOutcome): void {
    this.groupIndex = -1;
    if (outcome.kind === 'done') this.#result = outcome;
    else this.#error = new UnitFailed(`the write did not happen: ${outcome.error.message}`, { cause: outcome.error });
    this.onSettled?.();
  }

  /**
   * The last that happens to it. What it was made of is let go, because it may be kept for long: a room keeps its last unit,
   * which would keep those that it required, and so on.
   */
  tell(): void {
    this.statements = [];
    this.required = [];
    this.wakes = [];
    if (this.#promise !== undefined) this.#tellPromise();
  }

  #tellPromise(): void {
    if (this.#result !== undefined) this.#promise?.resolve(this.#result);
    else if (this.#error !== undefined) this.#promise?.reject(this.#error);
  }

  #mustBeOpen(): void {
    if (this.#built) throw new Error('the unit was handed in already: it is built synchronously, inside write');
  }
}

function sizeOf(value: BoundValue): number {
  if (typeof value === 'string' || Buffer.isBuffer(value)) return value.length;
  if (!Array.isArray(value)) return 8;
  return value.reduce((sum: number, item) => sum + (typeof item === 'string' ? item.length : 8), 8);
}
