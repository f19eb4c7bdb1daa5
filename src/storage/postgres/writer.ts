import { UnexpectedChanges, UniqueViolation } from '../database.ts';
import type { BoundStatement, GroupOutcome, UnitOutcome, UnitProgram } from '../engine.ts';
import { StepFailed, type StepResult } from './pipeline.ts';
import { type Step, WriterConnection, isAboutTheStatement, isUniqueViolation } from './writer-connection.ts';

/**
 * Runs groups of units on one connection: everything up to the commit in one round trip, the commit in a second, because only the
 * results say whether it may happen. A connection that is lost is opened again for the next group.
 */
export class PostgresWriter {
  readonly #url: string;
  #connection: WriterConnection | undefined;
  /** The number of the last group that was begun. */
  #group: number;
  #commits = 0;
  #units = 0;
  #rowsChanged = 0;

  constructor(url: string, connection: WriterConnection, lastGroup: number) {
    this.#url = url;
    this.#connection = connection;
    this.#group = lastGroup;
  }

  async runGroup(units: readonly UnitProgram[]): Promise<GroupOutcome> {
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
  async ask(text: string): Promise<Record<string, unknown>[]> {
    return (await this.#connected()).ask(text);
  }

  async close(): Promise<void> {
    await this.#disconnect();
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

  stepsOf(index: number): readonly BoundStatement[] {
    return this.units[index]!.statements;
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

/** So many times the group is run again without the unit that failed; after that its units go one by one. */
const attemptsMax = 8;

async function carryOut(connection: WriterConnection, group: Group): Promise<void> {
  for (let attempt = 0; attempt < attemptsMax; attempt++)
    if (await runTogether(connection, group, attempt > 0)) return commit(connection, group);
  await runOneByOne(connection, group);
  await commit(connection, group);
}

/** False when a unit failed; it is in `group.failed` then, and the transaction is to be rolled back. */
async function runTogether(connection: WriterConnection, group: Group, rollback: boolean): Promise<boolean> {
  const units = group.remaining();
  const steps: Step[] = rollback ? [{ control: 'rollback' }, { control: 'begin' }] : [{ control: 'begin' }];
  const firstStep = new Map<number, number>();
  let bytes = 0;
  for (const index of units) {
    firstStep.set(index, steps.length);
    steps.push(...group.stepsOf(index));
    bytes += group.units[index]!.bytes;
  }
  steps.push({ control: 'numberGroup', values: [group.number] });
  let results: readonly StepResult[];
  try {
    results = await connection.run(steps, bytes);
  } catch (error) {
    if (!(error instanceof StepFailed) || !isAboutTheStatement(error)) throw error;
    const index = units.findLast((candidate) => firstStep.get(candidate)! <= error.step);
    if (index === undefined) throw error;
    group.failed.set(index, causeOf(error));
    return false;
  }
  for (const index of units) {
    const from = firstStep.get(index)!;
    const own = results.slice(from, from + group.stepsOf(index).length);
    const unexpected = unexpectedChanges(group.stepsOf(index), own);
    if (unexpected !== undefined) {
      group.failed.set(index, unexpected);
      return false;
    }
    group.done.set(index, own);
  }
  return true;
}

/** Each unit in a savepoint, so that any number of them can fail. */
async function runOneByOne(connection: WriterConnection, group: Group): Promise<void> {
  await connection.run([{ control: 'rollback' }, { control: 'begin' }]);
  for (const index of group.units.keys()) {
    if (!group.remaining().includes(index)) continue;
    const error = await runAlone(connection, group, index);
    if (error === undefined) await connection.run([{ control: 'release' }]);
    else {
      group.failed.set(index, error);
      await connection.run([{ control: 'rollbackToSavepoint' }, { control: 'release' }]);
    }
  }
  await connection.run([{ control: 'numberGroup', values: [group.number] }]);
}

/** Gives why the unit failed. */
async function runAlone(connection: WriterConnection, group: Group, index: number): Promise<Error | undefined> {
  try {
    const results = await connection.run([{ control: 'savepoint' }, ...group.stepsOf(index)]);
    const own = results.slice(1);
    group.done.set(index, own);
    return unexpectedChanges(group.stepsOf(index), own);
  } catch (error) {
    if (!(error instanceof StepFailed) || !isAboutTheStatement(error)) throw error;
    return causeOf(error);
  }
}

async function commit(connection: WriterConnection, group: Group): Promise<void> {
  group.commitWasSent = true;
  await connection.run([{ control: 'commit' }]);
}

function unexpectedChanges(
  statements: readonly BoundStatement[],
  results: readonly StepResult[],
): UnexpectedChanges | undefined {
  for (const [index, { changes, statement }] of statements.entries()) {
    const changed = results[index]?.changes;
    if (changes !== undefined && changes !== changed)
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
