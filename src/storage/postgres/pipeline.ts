import type pg from 'pg';
import type { Row } from '../engine.ts';
import { parserOf } from './values.ts';

/** The columns of a prepared statement's rows. */
export type Columns = readonly { readonly name: string; readonly parse: (text: string) => unknown }[];

export interface StepResult {
  readonly rows: readonly Row[];
  readonly changes: number;
}

/** The server refused one statement, and with it all that came after. */
export class StepFailed extends Error {
  override readonly name = 'StepFailed';
  /** Of the steps before it. */
  readonly results: readonly StepResult[];
  constructor(results: readonly StepResult[], cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.results = results;
  }
}

/**
 * Many statements in one piece, as pg's client takes a query of one's own. The bytes hold one execution for each of `steps`
 * (the columns of its rows), and one sync at the end.
 */
export class Pipeline implements pg.Submittable {
  readonly #bytes: Buffer;
  readonly #steps: readonly Columns[];
  readonly #results: StepResult[] = [];
  readonly #outcome = Promise.withResolvers<readonly StepResult[]>();
  #rows: Row[] = [];
  /** What the server said about the rows of a statement that was only described. */
  described: Columns = [];

  constructor(bytes: Buffer, steps: readonly Columns[]) {
    this.#bytes = bytes;
    this.#steps = steps;
  }

  /** Rejects with StepFailed, also when the connection is lost. */
  get done(): Promise<readonly StepResult[]> {
    return this.#outcome.promise;
  }

  submit(connection: pg.Connection): void {
    connection.stream.write(this.#bytes);
  }

  handleRowDescription(message: { fields: readonly { name: string; dataTypeID: number }[] }): void {
    this.described = message.fields.map(({ name, dataTypeID }) => ({ name, parse: parserOf(dataTypeID) }));
  }

  handleDataRow(message: { fields: readonly (string | null)[] }): void {
    const row: Row = {};
    for (const [index, { name, parse }] of (this.#steps[this.#results.length] ?? []).entries()) {
      const text = message.fields[index] ?? null;
      row[name] = text === null ? null : parse(text);
    }
    this.#rows.push(row);
  }

  handleCommandComplete(message: { text: string }): void {
    this.#results.push({ rows: this.#rows, changes: changesIn(message.text) });
    this.#rows = [];
  }

  handleReadyForQuery(): void {
    this.#outcome.resolve(this.#results);
  }

  handleError(error: unknown): void {
    this.#outcome.reject(new StepFailed(this.#results, error));
  }

  handleEmptyQuery(): void {
    this.#outcome.reject(new StepFailed(this.#results, new Error('the statement is empty')));
  }

  handlePortalSuspended(): void {}
  handleCopyInResponse(): void {}
  handleCopyData(): void {}
}

/** The number at the end of a tag such as "INSERT 0 1"; 0 for "BEGIN". */
function changesIn(tag: string): number {
  const count = Number(tag.slice(tag.lastIndexOf(' ') + 1));
  return Number.isNaN(count) ? 0 : count;
}
