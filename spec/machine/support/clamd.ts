/** Debian's clamd with one signature of our own, on a socket in a folder of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const program = '/usr/sbin/clamd';
export const signatureName = 'VecheTestMalware';
/** What has the signature. */
export const signedText = Buffer.from('veche-test-malware-7d1f');
export const streamBytesMax = 4_194_304;

export class Clamd {
  readonly path: string;
  readonly #folder: string;
  #child: ChildProcess | undefined;
  #said = '';

  private constructor() {
    this.#folder = mkdtempSync(join(tmpdir(), 'veche-clamd-'));
    this.path = join(this.#folder, 'clamd.ctl');
    const database = join(this.#folder, 'database');
    mkdirSync(database);
    writeFileSync(join(database, 'own.ndb'), `${signatureName}:0:*:${signedText.toString('hex')}\n`);
    writeFileSync(
      join(this.#folder, 'clamd.conf'),
      [
        'Foreground yes',
        `DatabaseDirectory ${database}`,
        `LocalSocket ${this.path}`,
        `TemporaryDirectory ${this.#folder}`,
        `StreamMaxLength ${streamBytesMax}`,
        `User ${userInfo().username}`,
      ].join('\n'),
    );
  }

  /** Rejects with a sentence when there is no clamd, and with what it said when it does not start. */
  static async start(): Promise<Clamd> {
    if (!existsSync(program))
      throw new Error(`This test needs clamd at ${program}; on Debian: apt-get install clamav-daemon`);
    const clamd = new Clamd();
    await clamd.start();
    return clamd;
  }

  async start(): Promise<void> {
    const child = spawn(program, ['-c', join(this.#folder, 'clamd.conf')]);
    this.#child = child;
    for (const output of [child.stdout, child.stderr])
      output.on('data', (text: Buffer) => (this.#said += text.toString()));
    while (!(await answers(this.path))) {
      if (child.exitCode !== null) throw new Error(`clamd ended: ${this.#said}`);
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

  async close(): Promise<void> {
    await this.stop();
    rmSync(this.#folder, { recursive: true });
  }
}

const answers = (path: string): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(path, () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
