/** One message at a time to members who wait in /sync: CPU for each of them, the next request that they park included. */
import type { BenchContext, Measurement, Scenario } from './measurement.ts';
import { Reference, normalised } from './reference.ts';
import { type Client, Served, roomOf, sendText, stringOf } from './served.ts';
import { cpuSince, processCpu } from './thread-cpu.ts';

const targetUs = 60;

export const deliver: Scenario = async (bench) => {
  const found: Measurement[] = [];
  for (const parked of bench.sizes.parked) found.push(...(await delivered(bench, parked)));
  return found;
};

async function delivered(bench: BenchContext, parked: number): Promise<Measurement[]> {
  const rounds = Math.max(2, Math.ceil(bench.sizes.deliveries / parked));
  const served = await Served.start(bench);
  try {
    bench.say(`deliver: ${parked} members wait`);
    const sender = await served.client();
    const members = await served.clients(parked);
    const room = await roomOf([sender, ...members]);
    const pollers = await Promise.all(members.map((member) => Poller.start(member, room)));
    const round = async (number: number): Promise<void> => {
      const text = `round ${String(number)}!`;
      const seen = Promise.all(pollers.map((poller) => poller.until(text)));
      await sendText(sender, room, text);
      await seen;
    };
    for (let i = 0; i < rounds; i++) await round(i);
    bench.say(`deliver: ${rounds} messages to ${parked} members`);
    const reference = Reference.run();
    const before = processCpu(served.process.pid);
    for (let i = 0; i < rounds; i++) await round(rounds + i);
    const cpu = cpuSince(before, processCpu(served.process.pid), rounds * parked);
    const signUs = reference.stop();
    // the last message lets every request end
    for (const poller of pollers) poller.end();
    await round(2 * rounds);
    const say = (what: string, value: number, atMost?: number): Measurement => ({
      scenario: 'deliver',
      what: `${parked} members wait: ${what}`,
      unit: 'µs',
      value,
      normalised: normalised(value, signUs),
      atMost,
    });
    return [
      say('CPU per delivery, all threads', cpu.all, targetUs),
      say('CPU per delivery, main thread', cpu.main),
      { scenario: 'deliver', what: `${parked} members wait: reference signature`, unit: 'µs', value: signUs },
    ];
  } finally {
    await served.close();
  }
}

/** Polls again as soon as it is answered. */
class Poller {
  readonly #client: Client;
  readonly #path: string;
  #awaited: { text: string; resolve: () => void; reject: (error: Error) => void } | undefined;
  #isEnding = false;

  private constructor(client: Client, filter: string) {
    this.#client = client;
    this.#path = `/_matrix/client/v3/sync?filter=${filter}&timeout=30000&set_presence=offline&since=`;
  }

  /** With a stored filter, as clients do. */
  static async start(client: Client, roomId: string): Promise<Poller> {
    const path = `/_matrix/client/v3/user/${encodeURIComponent(client.userId)}/filter`;
    const definition = { room: { rooms: [roomId], timeline: { limit: 20 }, state: { lazy_load_members: true } } };
    const filter = stringOf(await client.call('POST', path, definition), 'filter_id');
    const poller = new Poller(client, filter);
    const first = await client.call('GET', `/_matrix/client/v3/sync?filter=${filter}&timeout=0`);
    void poller.#poll(stringOf(first, 'next_batch'));
    return poller;
  }

  /** Resolves when an answer has the text. */
  until(text: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#awaited = { text, resolve, reject };
    });
  }

  /** The next answer with what is waited for is the last. */
  end(): void {
    this.#isEnding = true;
  }

  async #poll(since: string): Promise<void> {
    try {
      for (let token = since; ;) {
        const body = await this.#client.call('GET', this.#path + token);
        token = /"next_batch":"([^"]+)"/.exec(body)?.[1] ?? token;
        if (this.#awaited === undefined || !body.includes(this.#awaited.text)) continue;
        this.#awaited.resolve();
        if (this.#isEnding) return;
      }
    } catch (error) {
      this.#awaited?.reject(error instanceof Error ? error : new Error(String(error)));
    }
  }
}
