/** Plain text messages over HTTP, several senders at once: CPU per message by thread, and how long the event loop is held up. */
import type { Measurement, Scenario } from './measurement.ts';
import { Reference, normalised } from './reference.ts';
import { type Client, Served, roomOf, sendText } from './served.ts';
import { type ProcessCpu, cpuSince, processCpu } from './thread-cpu.ts';

const targetUs = 350;
const loopDelayMsMax = 20;

export const send: Scenario = async (bench) => {
  const { senders, sends, sendWarmUp } = bench.sizes;
  const served = await Served.start(bench);
  try {
    const clients = await served.clients(senders);
    const shared = await roomOf(clients);
    const own = await Promise.all(clients.map((client) => roomOf([client])));
    bench.say(`send: ${sendWarmUp} messages to warm up`);
    await sendAll(clients, () => shared, sendWarmUp);
    bench.say(`send: ${sends} messages to one room, and to a room for each sender`);
    const one = await measured(served, clients, () => shared, sends);
    const each = await measured(served, clients, (index) => own[index] ?? shared, sends);
    return [
      ...describe(`${senders} senders, one room`, one, targetUs),
      ...describe(`${senders} senders, a room each`, each, targetUs),
    ];
  } finally {
    await served.close();
  }
};

interface Sent {
  readonly cpu: ProcessCpu;
  readonly signUs: number;
  readonly perSecond: number;
  /** ms, ascending. */
  readonly latencies: readonly number[];
  readonly loopDelayMs: number;
}

async function measured(
  served: Served,
  clients: readonly Client[],
  roomFor: (index: number) => string,
  count: number,
): Promise<Sent> {
  const { pid } = served.process;
  // being asked for it makes the server begin anew with what it measures of its event loop
  await served.metric('nodejs_eventloop_lag_p99_seconds');
  const reference = Reference.run();
  const before = processCpu(pid);
  const startMs = performance.now();
  const latencies = await sendAll(clients, roomFor, count);
  const seconds = (performance.now() - startMs) / 1000;
  const cpu = cpuSince(before, processCpu(pid), count);
  const signUs = reference.stop();
  const loopDelayMs = (await served.metric('nodejs_eventloop_lag_p99_seconds')) * 1000;
  return { cpu, signUs, perSecond: count / seconds, latencies, loopDelayMs };
}

/** Each client has one request in flight. */
async function sendAll(
  clients: readonly Client[],
  roomFor: (index: number) => string,
  count: number,
): Promise<number[]> {
  const latencies: number[] = [];
  let left = count;
  const work = async (client: Client, index: number): Promise<void> => {
    while (left-- > 0) {
      const startMs = performance.now();
      await sendText(client, roomFor(index), `message ${String(left)} of a bench, as long as people write them`);
      latencies.push(performance.now() - startMs);
    }
  };
  await Promise.all(clients.map(work));
  return latencies.sort((a, b) => a - b);
}

function describe(who: string, sent: Sent, atMost: number): Measurement[] {
  const { cpu, signUs, latencies } = sent;
  const each = (thread: keyof ProcessCpu, name: string, wanted?: number): Measurement => ({
    scenario: 'send',
    what: `${who}: CPU per send, ${name}`,
    unit: 'µs',
    value: cpu[thread],
    normalised: normalised(cpu[thread], signUs),
    atMost: wanted,
  });
  const other = (what: string, unit: string, value: number, wanted?: number): Measurement => ({
    scenario: 'send',
    what: `${who}: ${what}`,
    unit,
    value,
    atMost: wanted,
  });
  return [
    each('all', 'all threads', atMost),
    each('main', 'main thread'),
    each('writer', "the writer's thread"),
    each('helpers', 'compiler, collector, files'),
    other('sends', '/s', sent.perSecond),
    other('answered, median', 'ms', latencies[Math.floor(latencies.length / 2)] ?? NaN),
    other('answered, p99', 'ms', latencies[Math.floor(latencies.length * 0.99)] ?? NaN),
    other('event-loop delay, p99', 'ms', sent.loopDelayMs, loopDelayMsMax),
    other('reference signature meanwhile', 'µs', signUs),
  ];
}
