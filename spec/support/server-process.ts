/**
 * A server as a process of its own, on a free loopback port unless it is told otherwise and with its data in a new folder, that specs
 * can kill and start again on the same data.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { repository } from './source-files.ts';

export interface ServerProcessOptions {
  /** `serve-env` is for test suites; `start` is what people run, without any configuration but the port. */
  readonly command?: 'serve-env' | 'start';
  /** Beside what such a server is given; of this process's environment nothing else reaches it but PATH. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Where it takes clients, as its environment tells it. Absent: a free port of 127.0.0.1. */
  readonly clientsAt?: { readonly address: string; readonly port: number };
  /** A command that the server's own is appended to; it must become the server. */
  readonly launcher?: readonly string[];
}

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** To be closed by whoever starts it; one that was forgotten ends with this process. */
export class ServerProcess {
  /** Such as http://127.0.0.1:port, the same after every start. */
  readonly url: string;
  readonly port: number;
  /** Where it runs; its data is in `data`. */
  readonly folder = mkdtempSync(join(tmpdir(), 'veche-process-'));
  readonly #options: ServerProcessOptions;
  #child: ChildProcess | undefined;
  #ended: Promise<Ended> | undefined;
  #said = '';

  private constructor(address: string, port: number, options: ServerProcessOptions) {
    this.port = port;
    this.url = `http://${address}:${port}`;
    this.#options = options;
  }

  /** Resolves when the server says that it is ready. Rejects with what it printed when it ends before. */
  static async start(options: ServerProcessOptions = {}): Promise<ServerProcess> {
    const { address, port } = options.clientsAt ?? { address: '127.0.0.1', port: await freePort() };
    const server = new ServerProcess(address, port, options);
    try {
      await server.start();
      return server;
    } catch (error) {
      await server.close();
      throw error;
    }
  }

  get dataFolder(): string {
    return join(this.folder, 'data');
  }

  /** What it has printed since it was first started. */
  get output(): string {
    return this.#said;
  }

  get pid(): number {
    const pid = this.#child?.pid;
    if (pid === undefined) throw new Error('the server does not run');
    return pid;
  }

  /** Starts it on the data that is there, with these arguments; resolves and rejects as `ServerProcess.start`. */
  async start(args: readonly string[] = []): Promise<void> {
    if (this.#child !== undefined) throw new Error('the server runs already');
    const file = this.#options.command === 'start' ? 'src/main.ts' : 'src/commands/serve-env.ts';
    const command = [...(this.#options.launcher ?? []), process.execPath, join(repository, file), ...args];
    const child = spawn(command[0] ?? '', command.slice(1), {
      cwd: this.folder,
      env: this.#environment(),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    running.add(child);
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => this.#hear(chunk));
    this.#ended = new Promise((resolve) => {
      child.once('error', (error) => {
        this.#said += String(error);
        resolve({ code: null, signal: null });
      });
      // 'close' comes when the output has been read to its end
      child.once('close', (code, signal) => resolve({ code, signal }));
    });
    void this.#ended.then(() => running.delete(child));
    await this.#untilReady();
  }

  /** Runs one of our commands where the server runs and with its environment. `file` is in src/commands. */
  async run(file: string, args: readonly string[], input = ''): Promise<Ran> {
    const child = spawn(process.execPath, [join(repository, 'src/commands', file), ...args], {
      cwd: this.folder,
      env: this.#environment(),
    });
    running.add(child);
    let [out, err] = ['', ''];
    child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
    child.stdin.end(input);
    const [code] = await once(child, 'close');
    running.delete(child);
    return { code: typeof code === 'number' ? code : null, out, err };
  }

  /** SIGKILL: resolves when the process is gone. Nothing of it is left to run. */
  kill(): Promise<Ended> {
    return this.#end('SIGKILL');
  }

  /** SIGTERM: resolves when it has ended in its own time. */
  stop(): Promise<Ended> {
    return this.#end('SIGTERM');
  }

  async killAndRestart(): Promise<void> {
    await this.kill();
    await this.start();
  }

  /** Ends it if it runs, and removes its folder. */
  async close(): Promise<void> {
    if (this.#child !== undefined) await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }

  #environment(): Record<string, string> {
    return {
      PATH: process.env['PATH'] ?? '',
      ...(this.#options.command === 'start' ? this.#startEnvironment() : this.#serveEnvironment()),
      ...this.#options.environment,
    };
  }

  #serveEnvironment(): Record<string, string> {
    return { CLIENT_PORT: String(this.port), DATA_DIR: this.dataFolder, HASH_COST: 'low' };
  }

  #startEnvironment(): Record<string, string> {
    const serve = '[client, media, federation, admin, health, metrics]';
    return { VECHE_LISTENERS: `[{ bind: 127.0.0.1, port: ${this.port}, serve: ${serve} }]` };
  }

  #hear(chunk: Buffer): void {
    if (this.#said.length < saidMax) this.#said += chunk.toString();
  }

  async #end(signal: NodeJS.Signals): Promise<Ended> {
    const ended = this.#ended;
    if (this.#child === undefined || ended === undefined) throw new Error('the server does not run');
    this.#child.kill(signal);
    const how = await ended;
    this.#child = undefined;
    return how;
  }

  async #untilReady(): Promise<void> {
    const gone = new AbortController();
    void this.#ended?.then(() => gone.abort());
    while (!gone.signal.aborted) {
      const response = await fetch(`${this.url}/health`, { signal: gone.signal }).catch(() => undefined);
      await response?.body?.cancel();
      if (response?.status === 200) return;
      await delay(20, undefined, { signal: gone.signal }).catch(() => undefined);
    }
    this.#child = undefined;
    throw new Error(`the server ended before it was ready: ${this.#said.slice(-5_000)}`);
  }
}

const saidMax = 10_000_000;

const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/**
 * A port that nobody listens on. A killed server must get it again, so it is not one of those that systems hand out to
 * outgoing connections, from 32768 or 49152.
 */
async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(20_000, 32_768);
    const probe = createServer();
    const isFree = await new Promise<boolean>((resolve) => {
      probe.once('listening', () => resolve(true)).once('error', () => resolve(false));
      probe.listen(port, '127.0.0.1');
    });
    if (!isFree) continue;
    probe.close();
    await once(probe, 'close');
    return port;
  }
}
