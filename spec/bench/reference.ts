/**
 * A machine that others use too, or a slower one, makes CPU time dearer. So beside everything that is measured a fixed
 * piece of work is done, an Ed25519 signature by node:crypto, and figures are also given as they would be where that takes 55 µs
 * (an idle core of the machine that the targets were set on).
 */
import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';

export const referenceSignUs = 55;

const { privateKey } = generateKeyPairSync('ed25519');
const message = randomBytes(800);
const pauseMs = 50;
const signsPerSample = 10;
const enough = 100;

/** What the reference takes while something else is measured: `sample` from time to time, or `run` in the background. */
export class Reference {
  #us = 0;
  #signs = 0;
  #timer: NodeJS.Timeout | undefined;

  /** A tenth of a second, for what is measured without a break. */
  static before(): Reference {
    const reference = new Reference();
    reference.sample(20);
    reference.#us = reference.#signs = 0;
    reference.sample(1_000);
    return reference;
  }

  /** A hundredth of this process's time, until `stop`. */
  static run(): Reference {
    const reference = Reference.before();
    reference.#timer = setInterval(() => reference.sample(signsPerSample), pauseMs);
    return reference;
  }

  sample(signs: number): void {
    const before = threadCpuUs();
    for (let i = 0; i < signs; i++) sign(null, message, privateKey);
    this.#us += threadCpuUs() - before;
    this.#signs += signs;
  }

  /** Ends it and gives µs of CPU per signature. */
  stop(): number {
    clearInterval(this.#timer);
    if (this.#signs < enough) this.sample(enough);
    return this.#us / this.#signs;
  }
}

export const normalised = (us: number, signUs: number): number => (us * referenceSignUs) / signUs;

/** CPU time of this thread so far. */
export function threadCpuUs(): number {
  // asked for the time of the process, the system brings the thread's up to date; otherwise it is some milliseconds old
  process.cpuUsage();
  const { user, system } = process.threadCpuUsage();
  return user + system;
}
