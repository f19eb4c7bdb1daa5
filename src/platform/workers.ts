import { Worker } from 'node:worker_threads';
import type { WorkerChannel, Workers } from './ports.ts';
import { WorkerCalls, WorkerEnded } from './worker-calls.ts';
import {
  fromWireError,
  loadHandler,
  toWireError,
  Transferring,
  type WorkerHandler,
  type WorkerReply,
} from './worker-protocol.ts';

/**
 * Each `start` is a thread of its own. A request that throws rejects its call and nothing else; a fault outside a request ends the
 * thread and rejects everything in flight. `close` lets what was asked before finish first. An idle thread keeps no process alive.
 */
export const threadWorkers: Workers = {
  inline: false,
  start: <Request, Response>(module: URL, data: unknown): WorkerChannel<Request, Response> =>
    new ThreadChannel(module, data),
};

class ThreadChannel<Request, Response> implements WorkerChannel<Request, Response> {
  readonly #worker: Worker;
  readonly #calls: WorkerCalls<Response>;

  constructor(module: URL, data: unknown) {
    const worker = new Worker(new URL('./worker-main.ts', import.meta.url), {
      workerData: { module: module.href, data },
    });
    const calls = new WorkerCalls<Response>({ onBusy: () => worker.ref(), onIdle: () => worker.unref() });
    const end = (cause: unknown): void => calls.end('the worker ended', cause);
    worker.unref();
    worker.on('message', (reply: WorkerReply) => calls.settle(reply));
    worker.on('messageerror', end);
    worker.on('error', end);
    worker.on('exit', (code) => end(new Error(`the thread ended with code ${code}`)));
    this.#worker = worker;
    this.#calls = calls;
  }

  call(request: Request, transfer: readonly ArrayBuffer[] = []): Promise<Response> {
    return this.#calls.call((id) => this.#worker.postMessage({ id, request }, [...transfer]));
  }

  async close(): Promise<void> {
    await this.#calls.close();
    this.#calls.end('the worker was closed');
    await this.#worker.terminate();
  }
}

/**
 * The same modules in this thread, for tests and simulations. Requests and responses are cloned as on the way to a thread and back, so
 * both forms show a module the same values.
 */
export class InlineWorkers implements Workers {
  readonly inline = true;
  readonly #loading = new Set<Promise<unknown>>();

  start<Request, Response>(module: URL, data: unknown): WorkerChannel<Request, Response> {
    const handler = loadHandler(module.href, structuredClone(data));
    // A module that cannot be loaded is told to each caller.
    this.#loading.add(handler.catch(() => undefined));
    return new InlineChannel(handler);
  }

  /** Resolves when every module that was started is loaded, which takes input and output that no fake clock governs. */
  async loaded(): Promise<void> {
    while (this.isLoading) {
      const started = [...this.#loading];
      await Promise.all(started);
      for (const one of started) this.#loading.delete(one);
    }
  }

  get isLoading(): boolean {
    return this.#loading.size > 0;
  }
}

class InlineChannel<Request, Response> implements WorkerChannel<Request, Response> {
  readonly #handler: Promise<WorkerHandler>;
  #last: Promise<unknown> = Promise.resolve();
  #isClosed = false;

  constructor(handler: Promise<WorkerHandler>) {
    this.#handler = handler;
  }

  async call(request: Request, transfer: readonly ArrayBuffer[] = []): Promise<Response> {
    if (this.#isClosed) throw new WorkerEnded('the worker is closing');
    const moved: unknown = structuredClone(request, { transfer: [...transfer] });
    const answer = this.#last.then(() => this.#answer(moved));
    this.#last = answer.catch(() => undefined);
    return answer;
  }

  async #answer(request: unknown): Promise<Response> {
    let handler: WorkerHandler;
    try {
      handler = await this.#handler;
    } catch (cause) {
      throw new WorkerEnded('the worker ended', { cause });
    }
    try {
      const result = await handler(request);
      return (
        result instanceof Transferring
          ? structuredClone(result.response, { transfer: [...result.transfer] })
          : structuredClone(result)
      ) as Response;
    } catch (error) {
      throw fromWireError(toWireError(error));
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#last;
  }
}
