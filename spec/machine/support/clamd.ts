/** Debian's clamd with one signature of our own, on a socket in a folder of its own. */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { Daemon } from './daemon.ts';

const program = '/usr/sbin/clamd';
export const signatureName = 'VecheTestMalware';
/** What has the signature. */
export const signedText = Buffer.from('veche-test-malware-7d1f');
export const streamBytesMax = 4_194_304;

export class Clamd {
  readonly path: string;
  readonly #folder: string;
  readonly #daemon = new Daemon('clamd');

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
    const args = ['-c', join(this.#folder, 'clamd.conf')];
    await this.#daemon.start(program, args, () => answers(this.path));
  }

  stop(): Promise<void> {
    return this.#daemon.stop();
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
