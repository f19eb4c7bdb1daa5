import { fromWireError, type WorkerReply } from './worker-protocol.ts';

/** The worker ended, by `close` or by a fault (then `cause` says which). */
export class WorkerEnded extends Error {
  override readonly name = 'WorkerEnded';
}

/** What a worker was asked and has not answered yet, whatever kind of worker it is. */
export class WorkerCalls<Response> {
  readonly #onBusy: () => void;
  readonly #onIdle: () => void;
  readonly #calls = new Map<number, PromiseWithResolvers<Response>>();
  #lastId = 0;
  #ended: WorkerEnded | undefined;
  #closing: PromiseWithResolvers<void> | undefined;

  /** `onBusy`: the first of several is being asked; `onIdle`: the last one was answered. */
  constructor({ onBusy, onIdle }: { readonly onBusy: () => void; readonly onIdle: () => void }) {
    this.#onBusy = onBusy;
    this.#onIdle = onIdle;
  }

  /** Sends a request under an id of its own. Rejects with WorkerEnded, and as `send` throws: then nothing was asked. */
  async call(send: (id: number) => void): Promise<Response> {
    if (this.#ended !== undefined || this.#closing !== undefined)
      throw this.#ended ?? new WorkerEnded('the worker is closing');
    const id = ++this.#lastId;
    send(id);
    const call = Promise.withResolvers<Response>();
    if (this.#calls.size === 0) this.#onBusy();
    this.#calls.set(id, call);
    return call.promise;
  }

  settle(reply: WorkerReply): void {
    const call = this.#calls.get(reply.id);
    if (call === undefined) return;
    this.#calls.delete(reply.id);
    if ('error' in reply) call.reject(fromWireError(reply.error));
    else call.resolve(reply.response as Response);
    if (this.#calls.size > 0) return;
    this.#onIdle();
    this.#closing?.resolve();
  }

  /** Takes no further call. Resolves when all are answered. */
  async close(): Promise<void> {
    if (this.#closing === undefined) {
      this.#closing = Promise.withResolvers<void>();
      if (this.#calls.size === 0) this.#closing.resolve();
    }
    await this.#closing.promise;
  }

  /** The worker is gone: rejects everything in flight, and every later call. */
  end(message: string, cause?: unknown): void {
    this.#ended ??= new WorkerEnded(message, cause === undefined ? undefined : { cause });
    for (const call of this.#calls.values()) call.reject(this.#ended);
    this.#calls.clear();
    this.#closing?.resolve();
  }
}
