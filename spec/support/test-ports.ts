/** Ports that a test owns: nothing happens unless it is caused by the test, and the same seed gives the same run. */
import { createHash } from 'node:crypto';
import { MailError } from '../../src/platform/mail-error.ts';
import { OutgoingHttpError } from '../../src/platform/outgoing-http-error.ts';
import type {
  Clock,
  OutgoingHttp,
  OutgoingMail,
  Ports,
  Random,
  TimerHandle,
  Timers,
} from '../../src/platform/ports.ts';
import { InlineProcesses } from '../../src/platform/worker-processes.ts';
import { InlineWorkers } from '../../src/platform/workers.ts';
import { streamingHttp } from './streaming-http.ts';

export interface TestPorts extends Ports {
  readonly workers: InlineWorkers;
  /** Runs every timer that falls due within `ms`, in the order of their times, each with its consequences; then `nowMs` is `ms` later. */
  advance(ms: number): Promise<void>;
  /** Lets everything happen that needs no time to pass: promises, `timers.soon`, loading of inline workers. */
  settle(): Promise<void>;
  /** Settles until the condition holds, for what other threads do (hashing, PostgreSQL). Fails after a minute of real time. */
  until(condition: () => boolean): Promise<void>;
  /** How many timers are waiting. */
  readonly timerCount: number;
  /** Addresses for which the mail server takes nothing. */
  readonly refusedMailboxes: Set<string>;
  /** What was handed to the mail server, oldest first. */
  readonly sentMail: readonly OutgoingMail[];
}

const noNetwork: OutgoingHttp = {
  request: ({ url }) => Promise.reject(new OutgoingHttpError('connection', `no network in tests: ${url}`)),
};

/** Monday, 15 January 2024, 08:00 UTC. */
export const testEpochMs = 1_705_305_600_000;

/** `replaced` takes the place of single ports, such as a network that leads to another server in the same process. */
export function testPorts(
  seed: number | string = 1,
  {
    http = noNetwork,
    ...replaced
  }: Partial<Pick<Ports, 'dns' | 'mail' | 'random' | 'sockets'> & { readonly http: OutgoingHttp }> = {},
): TestPorts {
  const time = new TestTime();
  const workers = new InlineWorkers();
  const sentMail: OutgoingMail[] = [];
  const refusedMailboxes = new Set<string>();
  const settle = async (): Promise<void> => {
    do {
      await workers.loaded();
      await time.settle();
    } while (workers.isLoading);
  };
  return {
    clock: time,
    timers: time,
    random: seededRandom(seed),
    dns: {
      lookup: (host) => Promise.reject(Object.assign(new Error(`no name ${host} in tests`), { code: 'ENOTFOUND' })),
      srv: () => Promise.resolve([]),
    },
    http: streamingHttp(http),
    mail: {
      async send(mail) {
        if (refusedMailboxes.has(mail.to)) throw new MailError('refused', `no mailbox ${mail.to} in tests`);
        sentMail.push(mail);
      },
    },
    sockets: { connect: () => Promise.reject(new Error('no connections in tests')) },
    sentMail,
    refusedMailboxes,
    ...replaced,
    workers,
    processes: new InlineProcesses(workers),
    settle,
    async advance(ms) {
      const untilMs = time.monotonicMs() + ms;
      do await settle();
      while (time.runNext(untilMs));
    },
    async until(condition) {
      const deadlineMs = performance.now() + 60_000;
      while (!condition()) {
        if (performance.now() > deadlineMs)
          throw new Error('the awaited condition did not come to hold within a minute');
        await settle();
      }
    },
    get timerCount() {
      return time.timerCount;
    },
  };
}

/** The same seed gives the same bytes and numbers, whatever the platform. */
export function seededRandom(seed: number | string): Random {
  let block = Buffer.alloc(0);
  let count = 0;
  const bytes = (wanted: number): Buffer => {
    while (block.length < wanted) {
      count += 1;
      block = Buffer.concat([block, createHash('sha512').update(`${seed}:${count}`).digest()]);
    }
    const taken = Buffer.from(block.subarray(0, wanted));
    block = block.subarray(wanted);
    return taken;
  };
  return {
    bytes,
    int(below) {
      if (!Number.isSafeInteger(below) || below < 1 || below > 2 ** 48 - 1)
        throw new RangeError(`no whole number below ${below}`);
      // 48 bits, drawn again where the last, incomplete round of `below` would favour small numbers.
      const fair = 2 ** 48 - (2 ** 48 % below);
      for (;;) {
        const drawn = bytes(6).readUIntBE(0, 6);
        if (drawn < fair) return drawn % below;
      }
    },
  };
}

interface Waiting {
  readonly dueMs: number;
  readonly serial: number;
  readonly run: () => void;
}

class TestTime implements Clock, Timers {
  #elapsedMs = 0;
  #serial = 0;
  #soonCount = 0;
  readonly #waiting = new Set<Waiting>();

  nowMs(): number {
    return testEpochMs + this.#elapsedMs;
  }
  monotonicMs(): number {
    return this.#elapsedMs;
  }
  get timerCount(): number {
    return this.#waiting.size;
  }

  after(delayMs: number, run: () => void): TimerHandle {
    this.#serial += 1;
    const waiting = { dueMs: this.#elapsedMs + Math.max(0, delayMs), serial: this.#serial, run };
    this.#waiting.add(waiting);
    return { cancel: () => void this.#waiting.delete(waiting) };
  }
  soon(run: () => void): void {
    this.#soonCount += 1;
    setImmediate(() => {
      this.#soonCount -= 1;
      run();
    });
  }
  sleep(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      this.after(delayMs, resolve);
    });
  }

  /** Runs the earliest timer due by `untilMs`; false when there is none, and then it is `untilMs`. */
  runNext(untilMs: number): boolean {
    let next: Waiting | undefined;
    for (const waiting of this.#waiting)
      if (waiting.dueMs <= untilMs && (next === undefined || isBefore(waiting, next))) next = waiting;
    this.#elapsedMs = next === undefined ? untilMs : Math.max(this.#elapsedMs, next.dueMs);
    if (next === undefined) return false;
    this.#waiting.delete(next);
    next.run();
    return true;
  }

  async settle(): Promise<void> {
    for (let turn = 0; turn < turnsMax; turn++) {
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
      if (this.#soonCount === 0) return;
    }
    throw new Error(`timers.soon was called again on each of ${turnsMax} turns`);
  }
}
const turnsMax = 100_000;

const isBefore = (a: Waiting, b: Waiting): boolean => (a.dueMs === b.dueMs ? a.serial < b.serial : a.dueMs < b.dueMs);
