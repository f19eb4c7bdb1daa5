import type { WorkerChannel } from '../../platform/ports.ts';
import type { Diagnostics, UnitProgram } from '../engine.ts';
import { encodeGroup } from './group-message.ts';
import type { WriterRequest, WriterResponse } from './writer-worker.ts';
import type { WriterReport } from './writer.ts';

export type WriterChannel = WorkerChannel<WriterRequest, WriterResponse>;

/** The main thread's side of the writer: packs groups, and sends each statement's SQL only once. */
export class WriterClient {
  readonly #start: () => WriterChannel;
  #channel: WriterChannel | undefined;
  /** By index: whether the writer knows the statement. */
  #known: boolean[] = [];
  #isClosed = false;

  constructor(start: () => WriterChannel) {
    this.#start = start;
  }

  /** Rejects when the thread has ended; the next call starts another. */
  async runGroup(units: readonly UnitProgram[]): Promise<WriterReport> {
    const program = encodeGroup(units);
    const response = await this.#call({ kind: 'group', statements: this.#unknownOf(units), program }, [program]);
    if (response.kind !== 'report') throw new Error('the writer answered something else');
    return response.report;
  }

  idle(): void {
    // a fault shows at the next group, which starts another thread
    if (!this.#isClosed) this.#call({ kind: 'idle' }).catch(() => {});
  }

  async diagnostics(): Promise<Diagnostics> {
    const response = await this.#call({ kind: 'diagnostics' });
    if (response.kind !== 'diagnostics') throw new Error('the writer answered something else');
    return response.diagnostics;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const channel = this.#channel;
    if (channel === undefined) return;
    // a thread that has ended has closed its connection
    await channel.call({ kind: 'close' }).catch(() => {});
    await channel.close();
  }

  async #call(request: WriterRequest, transfer: ArrayBuffer[] = []): Promise<WriterResponse> {
    const channel = (this.#channel ??= this.#start());
    try {
      return await channel.call(request, transfer);
    } catch (error) {
      if (this.#channel === channel) {
        this.#channel = undefined;
        this.#known = [];
        await channel.close();
      }
      throw error;
    }
  }

  /** Statements that the writer has not seen. */
  #unknownOf(units: readonly UnitProgram[]): [number, string][] {
    const unknown: [number, string][] = [];
    for (const unit of units)
      for (const { statement } of unit.statements) {
        if (this.#known[statement.index] === true) continue;
        this.#known[statement.index] = true;
        unknown.push([statement.index, statement.sql]);
      }
    return unknown;
  }
}
