import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { WorkerProcess, WorkerProcesses, WorkerProcessOptions } from './ports.ts';
import { WorkerCalls, WorkerEnded } from './worker-calls.ts';
import type { WorkerReply } from './worker-protocol.ts';
import type { InlineWorkers } from './workers.ts';

/**
 * Each `start` is a process of its own, for native code that works on what strangers send: neither its crash nor the memory and time
 * that it takes reach the server. It sees nothing of the server's environment, yields to it (nice 10), ends itself when it grows
 * beyond `rssBytesMax`, and ends when the server has ended, however that came.
 */
export const processWorkers: WorkerProcesses = {
  start: <Request, Response>(module: URL, data: unknown, options: WorkerProcessOptions) =>
    new ProcessChannel<Request, Response>(module, data, options),
};

class ProcessChannel<Request, Response> implements WorkerProcess<Request, Response> {
  readonly #child: ChildProcess;
  readonly #calls = new WorkerCalls<Response>({ onBusy: () => this.#work(), onIdle: () => this.#rest() });
  readonly #exited = Promise.withResolvers<void>();

  constructor(module: URL, data: unknown, { rssBytesMax }: WorkerProcessOptions) {
    const given = JSON.stringify({ module: module.href, data, rssBytesMax });
    this.#child = fork(fileURLToPath(new URL('./worker-process-main.ts', import.meta.url)), [given], {
      env: childEnvironment(),
      execArgv: ['--max-old-space-size=128'],
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    this.#rest();
    this.#child.on('message', (reply: WorkerReply) => this.#calls.settle(reply));
    this.#child.on('error', (error) => this.#end(error));
    this.#child.on('exit', (code, signal) => {
      this.#end(new Error(`the process ended with ${signal ?? `code ${code}`}`));
      this.#exited.resolve();
    });
  }

  call(request: Request): Promise<Response> {
    return this.#calls.call((id) => {
      this.#child.send({ id, request }, (error) => {
        if (error !== null) this.#end(error);
      });
    });
  }

  async close(): Promise<void> {
    await this.#calls.close();
    await this.#exit('the worker was closed');
  }

  async kill(): Promise<void> {
    await this.#exit('the worker was killed');
  }

  /** Nothing that is worth keeping is in the process: what it answers is here already. */
  async #exit(why: string): Promise<void> {
    this.#calls.end(why);
    if (this.#child.pid === undefined) return;
    this.#child.ref();
    this.#child.kill('SIGKILL');
    await this.#exited.promise;
  }

  #end(cause: unknown): void {
    this.#calls.end('the worker ended', cause);
  }

  /** An idle process keeps the server from ending as little as an idle thread does. */
  #rest(): void {
    this.#child.unref();
    this.#child.channel?.unref();
  }
  #work(): void {
    this.#child.ref();
    this.#child.channel?.ref();
  }
}

/** What node and native libraries need to be found, and nothing that might be secret. */
function childEnvironment(): NodeJS.ProcessEnv {
  const kept = ['PATH', 'LD_LIBRARY_PATH', 'NODE_COMPILE_CACHE', 'SystemRoot', 'TZ'];
  const entries = kept.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]]));
  // One thread for native work, and memory that goes back to the system.
  return { ...Object.fromEntries(entries), UV_THREADPOOL_SIZE: '1', MALLOC_ARENA_MAX: '1' } as NodeJS.ProcessEnv;
}

/** The same modules in this process, for tests and simulations. A request that is being answered goes on after `kill`, unheard. */
export class InlineProcesses implements WorkerProcesses {
  readonly #workers: InlineWorkers;

  constructor(workers: InlineWorkers) {
    this.#workers = workers;
  }

  start<Request, Response>(module: URL, data: unknown): WorkerProcess<Request, Response> {
    const channel = this.#workers.start<Request, Response>(module, data);
    const killed = Promise.withResolvers<never>();
    killed.promise.catch(() => undefined);
    return {
      call: (request) => Promise.race([channel.call(request), killed.promise]),
      close: () => channel.close(),
      kill: async () => killed.reject(new WorkerEnded('the worker was killed')),
    };
  }
}
