import type { WorkerChannel, Workers } from '../../platform/ports.ts';
import { WorkerEnded } from '../../platform/worker-calls.ts';
import type { VerifyRequest, VerifyResponse, VerifyWorkerData } from './verify-worker.ts';

/** A thread as long as somebody uses it. */
export interface TakenThread {
  call(request: VerifyRequest, transfer?: readonly ArrayBuffer[]): Promise<VerifyResponse>;
  /** To be called when it is not used any more; again changes nothing. */
  release(): void;
}

/** Threads that verify, started when they are first needed, and again when one has ended. */
export class VerifyThreads {
  readonly #workers: Workers;
  readonly #threadsMax: number;
  readonly #data: VerifyWorkerData;
  #threads: readonly Thread[] = [];

  constructor(workers: Workers, threadsMax: number, data: VerifyWorkerData) {
    this.#workers = workers;
    this.#threadsMax = threadsMax;
    this.#data = data;
  }

  /** The thread that has the least to do. */
  take(): TakenThread {
    const thread = this.#leastBusy();
    thread.busy += 1;
    let isTaken = true;
    return {
      call: async (request, transfer) => {
        try {
          return await thread.channel.call(request, transfer);
        } catch (error) {
          if (error instanceof WorkerEnded) this.#threads = this.#threads.filter((one) => one !== thread);
          throw error;
        }
      },
      release() {
        if (isTaken) thread.busy -= 1;
        isTaken = false;
      },
    };
  }

  async close(): Promise<void> {
    await Promise.all(this.#threads.map(({ channel }) => channel.close()));
  }

  #leastBusy(): Thread {
    const [first, ...others] = this.#threads;
    if (first !== undefined) {
      const least = others.reduce((best, thread) => (thread.busy < best.busy ? thread : best), first);
      if (least.busy === 0 || this.#threads.length >= this.#threadsMax) return least;
    }
    const module = new URL('./verify-worker.ts', import.meta.url);
    const thread = { channel: this.#workers.start<VerifyRequest, VerifyResponse>(module, this.#data), busy: 0 };
    this.#threads = [...this.#threads, thread];
    return thread;
  }
}

interface Thread {
  readonly channel: WorkerChannel<VerifyRequest, VerifyResponse>;
  busy: number;
}
