import {
  type Commit,
  type Database,
  type QueryBuilder,
  type ReadQuery,
  type UnitBuilder,
  type UnitTicket,
  type Wake,
} from './database.ts';
import type { Diagnostics, Engine, GroupOutcome, UnitOutcome, UnitProgram } from './engine.ts';
import { boundValues, compiledStatement } from './query.ts';
import { type Reservation, Sequence, reserveSequence } from './sequence.ts';
import { Unit } from './unit.ts';

export interface GroupLimits {
  readonly units: number;
  readonly bytes: number;
}

/**
 * The part of the database that is the same on both engines: units wait in a queue, in the order in which they were handed
 * in, and are given to the engine in groups that share one commit. It clocks itself: the next group is what came in while
 * the one before was being committed, so a lone unit waits for nothing and groups grow under load.
 */
export class GroupCommitDatabase implements Database {
  readonly #backend: Engine;
  readonly #limits: GroupLimits;
  /** Runs a function after what is being done now, so that units of the same moment share a commit. */
  readonly #soon: (run: () => void) => void;
  readonly #pos: Sequence;
  readonly #id: Sequence;
  readonly #listeners = new Set<(commit: Commit) => void>();
  #queue: Unit[] = [];
  #lastSerial = 0;
  #settledSerial = 0;
  #committedPos: number;
  #building = false;
  #flushing = false;
  #drains: { serial: number; resolve: () => void }[] = [];
  #closed: Promise<void> | undefined;

  constructor(
    engine: Engine,
    start: { readonly pos: number; readonly id: number },
    soon: (run: () => void) => void,
    limits: GroupLimits = { units: 256, bytes: 4 * 1024 * 1024 },
  ) {
    this.#backend = engine;
    this.#limits = limits;
    this.#soon = soon;
    const reserve = (reservation: Reservation, settled: (committed: boolean) => void) =>
      this.#handInReservation(reservation, settled);
    this.#pos = new Sequence('pos', start.pos, posBlockSize, reserve);
    this.#id = new Sequence('id', start.id, idBlockSize, reserve);
    this.#committedPos = start.pos - 1;
  }

  get engine(): 'sqlite' | 'postgres' {
    return this.#backend.name;
  }

  async all<P, Row>(query: ReadQuery<P, Row>, params: P): Promise<Row[]> {
    const statement = compiledStatement(query, this.#backend.name);
    const rows = await this.#backend.all(statement, boundValues(statement, params, this.#backend.name));
    // defineRead has checked the builder's row type against Row
    return rows as Row[];
  }

  async one<P, Row>(query: ReadQuery<P, Row>, params: P): Promise<Row | undefined> {
    const [row] = await this.all(query, params);
    return row;
  }

  dynamic<T>(build: (q: QueryBuilder) => { execute(): Promise<T> }): Promise<T> {
    return this.#backend.dynamic(build);
  }

  write(build: (unit: UnitBuilder) => void): UnitTicket {
    if (this.#closed !== undefined) throw new Error('the database is closed');
    if (this.#building) throw new Error('a unit cannot be handed in while another is being built');
    const unit = new Unit(this.#backend.name, () => this.#pos.next());
    this.#building = true;
    try {
      build(unit);
    } finally {
      this.#building = false;
    }
    this.#pos.ensureReserved();
    this.#id.ensureReserved();
    this.#handIn(unit);
    return unit;
  }

  nextId(): number {
    return this.#id.next();
  }

  committedPos(): number {
    return this.#committedPos;
  }

  onCommitted(listener: (commit: Commit) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  drained(): Promise<void> {
    const serial = this.#lastSerial;
    if (this.#settledSerial >= serial) return Promise.resolve();
    return new Promise((resolve) => this.#drains.push({ serial, resolve }));
  }

  close(): Promise<void> {
    this.#closed ??= this.drained().then(() => this.#backend.close());
    return this.#closed;
  }

  /** What the live connections say about themselves. */
  diagnostics(): Promise<Diagnostics> {
    return this.#backend.diagnostics();
  }

  #handIn(unit: Unit): void {
    unit.seal(++this.#lastSerial);
    this.#queue.push(unit);
    if (this.#flushing) return;
    this.#flushing = true;
    this.#soon(() => void this.#flush());
  }

  #handInReservation(reservation: Reservation, settled: (committed: boolean) => void): void {
    const unit = new Unit(this.#backend.name, () => 0);
    unit.run(reserveSequence, reservation);
    unit.onSettled = () => settled(unit.succeeded);
    this.#handIn(unit);
  }

  async #flush(): Promise<void> {
    while (this.#queue.length > 0) {
      const group = this.#takeGroup();
      const { programs, members } = this.#programsOf(group);
      const outcome: GroupOutcome =
        programs.length === 0 ? { kind: 'settled', units: [] } : await this.#backend.runGroup(programs);
      if (outcome.kind === 'lost') this.#lose(group, outcome.error);
      else this.#settle(group, members, outcome.units);
    }
    this.#flushing = false;
  }

  #takeGroup(): Unit[] {
    let count = 0;
    let bytes = 0;
    while (count < this.#queue.length && count < this.#limits.units && (count === 0 || bytes < this.#limits.bytes))
      bytes += this.#queue[count++]!.bytes;
    if (count === this.#queue.length) {
      const group = this.#queue;
      this.#queue = [];
      return group;
    }
    return this.#queue.splice(0, count);
  }

  /** What the engine must do. Units without statements, and those whose requirement has failed, do not trouble it. */
  #programsOf(group: readonly Unit[]): { programs: UnitProgram[]; members: Unit[] } {
    const programs: UnitProgram[] = [];
    const members: Unit[] = [];
    for (const unit of group) {
      const failed = unit.required.find((earlier) => earlier.failure !== undefined)?.failure;
      if (failed !== undefined) unit.settle({ kind: 'failed', error: failed });
      else if (unit.statements.length > 0 || unit.required.some((earlier) => earlier.groupIndex >= 0)) {
        const requires = unit.required.map((earlier) => earlier.groupIndex).filter((index) => index >= 0);
        unit.groupIndex = programs.length;
        programs.push({ statements: unit.statements, bytes: unit.bytes, requires });
        members.push(unit);
      } else unit.settle({ kind: 'done', rows: [], changes: [] });
    }
    return { programs, members };
  }

  #settle(group: readonly Unit[], members: readonly Unit[], outcomes: readonly UnitOutcome[]): void {
    for (let i = 0; i < members.length; i++) members[i]!.settle(outcomes[i]!);
    const wakes: Wake[] = [];
    for (const unit of group) {
      if (unit.pos > this.#committedPos) this.#committedPos = unit.pos;
      if (unit.succeeded) wakes.push(...unit.wakes);
    }
    const commit: Commit = { pos: this.#committedPos, wakes };
    for (const listener of this.#listeners) callListener(listener, commit);
    this.#tell(group);
  }

  /** Everything in flight fails, also what waits: it may have been built on what is lost. */
  #lose(group: readonly Unit[], error: Error): void {
    const waiting = this.#queue;
    this.#queue = [];
    const lost = [...group, ...waiting];
    for (const unit of lost) if (unit.failure === undefined) unit.settle({ kind: 'failed', error });
    this.#tell(lost);
  }

  #tell(units: readonly Unit[]): void {
    for (const unit of units) unit.tell();
    this.#settledSerial = units.at(-1)?.serial ?? this.#settledSerial;
    if (this.#drains.length === 0) return;
    const drained = this.#drains.filter((drain) => drain.serial <= this.#settledSerial);
    this.#drains = this.#drains.filter((drain) => drain.serial > this.#settledSerial);
    for (const drain of drained) drain.resolve();
  }
}

/** One unit in a thousand or so also reserves; a crash leaves a gap of at most one and a half blocks. */
const posBlockSize = 2048;
const idBlockSize = 8192;

/** A listener that throws is a fault of the program; it is not to harm the units or the other listeners. */
function callListener(listener: (commit: Commit) => void, commit: Commit): void {
  try {
    listener(commit);
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
