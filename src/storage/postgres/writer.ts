import { UnexpectedChanges, UniqueViolation } from '../database.ts';
import type { BoundStatement, GroupOutcome, UnitOutcome, UnitProgram } from '../engine.ts';
import { StepFailed, type StepResult } from './pipeline.ts';
import {
  type Control,
  type Step,
  WriterConnection,
  isAboutTheStatement,
  isUniqueViolation,
} from './writer-connection.ts';

/**
 * Runs groups of units on one connection: everything up to the commit in one round trip, the commit in a second, because only the
 * results say whether it may happen. A connection that is lost is opened again for the next group.
 */
export class PostgresWriter {
  readonly #url: string;
  #connection: WriterConnection | undefined;
  /** The number of the last group that was begun. */
  #group: number;
  #lastTurn: Promise<unknown> = Promise.resolve();
  #commits = 0;
  #units = 0;
  #rowsChanged = 0;

  constructor(url: string, connection: WriterConnection, lastGroup: number) {
    this.#url = url;
    this.#connection = connection;
    this.#group = lastGroup;
  }

  runGroup(units: readonly UnitProgram[]): Promise<GroupOutcome> {
    return this.#inTurn(() => this.#runGroup(units));
  }

  async #runGroup(units: readonly UnitProgram[]): Promise<GroupOutcome> {
    this.#group++;
    const group = new Group(units, this.#group);
    try {
      const connection = await this.#connected();
      await prepareStatements(connection, group);
      await carryOut(connection, group);
    } catch (error) {
      await this.#disconnect();
      if (!(await this.#wasCommittedAnyway(group))) return { kind: 'lost', error: asError(error) };
    }
    this.#commits++;
    this.#units += units.length;
    const outcomes = group.outcomes();
    for (const outcome of outcomes)
      if (outcome.kind === 'done') for (const changes of outcome.changes) this.#rowsChanged += changes;
    return { kind: 'settled', units: outcomes };
  }

  counts(): { commits: number; units: number; rowsChanged: number } {
    return { commits: this.#commits, units: this.#units, rowsChanged: this.#rowsChanged };
  }

  /** Asks the live connection; see `WriterConnection.ask`. */
  ask(text: string): Promise<Record<string, unknown>[]> {
    return this.#inTurn(async () => (await this.#connected()).ask(text));
  }

  close(): Promise<void> {
    return this.#inTurn(() => this.#disconnect());
  }

  /** A question in the middle of a group would be part of its transaction. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#lastTurn.then(work);
    // whoever asked for the work is told how it went
    this.#lastTurn = turn.catch(() => undefined);
    return turn;
  }

  async #connected(): Promise<WriterConnection> {
    if (this.#connection?.isLost === true) await this.#disconnect();
    if (this.#connection === undefined) {
      this.#connection = await WriterConnection.open(this.#url);
      await this.#connection.prepareControls();
    }
    return this.#connection;
  }

  async #disconnect(): Promise<void> {
    const connection = this.#connection;
    this.#connection = undefined;
    await connection?.end();
  }

  /** When the connection was lost while committing, only the database can say what became of the group. */
  async #wasCommittedAnyway(group: Group): Promise<boolean> {
    if (!group.commitWasSent) return false;
    try {
      return (await lastGroup(await this.#connected())) === group.number;
    } catch {
      // it cannot be asked: the group counts as lost, and whoever tries again meets what is there
      return false;
    }
  }
}

/** The number of the last group that was committed. */
export async function lastGroup(connection: WriterConnection): Promise<number> {
  const [row] = await connection.ask(`SELECT reserved_until FROM sequence WHERE name = 'group'`);
  return Number(row?.['reserved_until'] ?? 0);
}

/** A group on its way, and what became of its units. */
class Group {
  readonly units: readonly UnitProgram[];
  readonly number: number;
  readonly failed = new Map<number, Error>();
  readonly done = new Map<number, readonly StepResult[]>();
  commitWasSent = false;

  constructor(units: readonly UnitProgram[], number: number) {
    this.units = units;
    this.number = number;
  }

  /** Units that may still happen: neither failed nor built on one that failed. */
  remaining(): number[] {
    const remaining: number[] = [];
    for (const [index, unit] of this.units.entries()) {
      if (!this.failed.has(index) && unit.requires.some((earlier) => this.failed.has(earlier)))
        this.failed.set(index, new Error('a write that it builds on failed'));
      if (!this.failed.has(index)) remaining.push(index);
    }
    return remaining;
  }

  outcomes(): UnitOutcome[] {
    return this.units.map((_, index) => {
      const error = this.failed.get(index);
      if (error !== undefined) return { kind: 'failed', error };
      const results = this.done.get(index) ?? [];
      return { kind: 'done', rows: results.map(({ rows }) => rows), changes: results.map(({ changes }) => changes) };
    });
  }
}

/** A unit whose statement the server does not accept fails before anything is begun. */
async function prepareStatements(connection: WriterConnection, group: Group): Promise<void> {
  for (const [index, { statements }] of group.units.entries())
    for (const { statement } of statements) {
      if (connection.isPrepared(statement)) continue;
      try {
        await connection.prepare(statement);
      } catch (error) {
        if (!isAboutTheStatement(error)) throw error;
        group.failed.set(index, asError(error));
        break;
      }
    }
}

/**
 * Runs the group as one pipeline. When a unit fails, the server has undone or will undo everything since the last savepoint; what
 * went well up to there is run again, a savepoint is set behind it, and the rest follows: one more round trip for each failure.
 */
async function carryOut(connection: WriterConnection, group: Group): Promise<void> {
  let undo: Control[] = ['begin'];
  let again: readonly number[] = [];
  let mark: Control[] = [];
  let rest = group.remaining();
  for (;;) {
    const plan = new Plan(group);
    for (const control of undo) plan.addControl(control);
    for (const index of again) plan.addUnit(index);
    for (const control of mark) plan.addControl(control);
    for (const index of rest) plan.addUnit(index);
    const failed = await plan.run(connection);
    if (failed === undefined) break;
    undo = mark.length === 0 ? ['rollback', 'begin'] : ['rollbackToSavepoint'];
    mark = mark.length === 0 ? ['savepoint'] : ['release', 'savepoint'];
    if (!rest.includes(failed)) throw new Error('a unit failed that went well a moment ago');
    again = rest.slice(0, rest.indexOf(failed));
    const stillRemaining = new Set(group.remaining());
    rest = rest.slice(again.length).filter((index) => stillRemaining.has(index));
  }
  group.commitWasSent = true;
  await connection.run([{ control: 'commit' }]);
}

/** What is sent in one piece, and which unit each step belongs to. */
class Plan {
  readonly #group: Group;
  readonly #steps: Step[] = [];
  readonly #firstSteps = new Map<number, number>();
  #bytes = 0;

  constructor(group: Group) {
    this.#group = group;
  }

  addControl(control: Control): void {
    this.#steps.push({ control });
  }

  addUnit(index: number): void {
    const unit = this.#group.units[index]!;
    this.#firstSteps.set(index, this.#steps.length);
    this.#steps.push(...unit.statements);
    this.#bytes += unit.bytes;
  }

  /** Gives the first unit that failed, which is in `group.failed` then; undefined when all went well. */
  async run(connection: WriterConnection): Promise<number | undefined> {
    const { failed, number } = this.#group;
    const steps: Step[] = [...this.#steps, { control: 'numberGroup', values: [number] }];
    try {
      return this.#check(await connection.run(steps, this.#bytes));
    } catch (error) {
      if (!(error instanceof StepFailed) || !isAboutTheStatement(error)) throw error;
      // a unit before it may have changed what it was not to change, and that may be why
      const earlier = this.#check(error.results);
      if (earlier !== undefined) return earlier;
      const step = error.results.length;
      const index = [...this.#firstSteps.keys()].findLast((unit) => this.#firstSteps.get(unit)! <= step);
      if (index === undefined) throw error;
      failed.set(index, causeOf(error));
      return index;
    }
  }

  /** Keeps the results of units that have run to their end; gives the first that changed another number of rows than it said. */
  #check(results: readonly StepResult[]): number | undefined {
    const { units, failed, done } = this.#group;
    for (const [index, from] of this.#firstSteps) {
      const { statements } = units[index]!;
      const own = results.slice(from, from + statements.length);
      const unexpected = unexpectedChanges(statements, own);
      if (unexpected !== undefined) {
        failed.set(index, unexpected);
        return index;
      }
      done.set(index, own);
    }
    return undefined;
  }
}

function unexpectedChanges(
  statements: readonly BoundStatement[],
  results: readonly StepResult[],
): UnexpectedChanges | undefined {
  for (const [index, { changes, statement }] of statements.entries()) {
    const changed = results[index]?.changes;
    if (changes !== undefined && changed !== undefined && changes !== changed)
      return new UnexpectedChanges(`${changed} rows changed, ${changes} expected: ${statement.sql}`);
  }
  return undefined;
}

function causeOf(error: StepFailed): Error {
  return isUniqueViolation(error) ? new UniqueViolation(error.message, { cause: error.cause }) : asError(error.cause);
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
