/** A program of the machine's that runs beside a test, from `start` to `stop`. It does not outlive the test's process. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';

export class Daemon {
  readonly #name: string;
  #child: ChildProcess | undefined;
  #said = '';

  /** `name`: what errors call it. */
  constructor(name: string) {
    this.#name = name;
  }

  /** Resolves when it answers. Rejects with what it said when it ends before that; `log` adds what it wrote elsewhere. */
  async start(
    command: string,
    args: readonly string[],
    answers: () => Promise<boolean>,
    log: () => string = () => '',
  ): Promise<void> {
    const child = spawn(command, args);
    this.#child = child;
    running.add(child);
    child.once('exit', () => running.delete(child));
    for (const output of [child.stdout, child.stderr])
      output.on('data', (text: Buffer) => (this.#said = (this.#said + text.toString()).slice(-saidMax)));
    while (!(await answers())) {
      if (child.exitCode !== null) throw new Error(`${this.#name} ended: ${this.#said}${log().slice(-saidMax)}`);
      await delay(50);
    }
  }

  async stop(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null) return;
    child.kill('SIGTERM');
    await once(child, 'exit');
  }
}

const saidMax = 5_000;

const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});
