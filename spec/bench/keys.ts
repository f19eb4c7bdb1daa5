/** Keys for end-to-end encryption over HTTP: uploaded, asked for and claimed. */
import type { Measurement, Scenario } from './measurement.ts';
import { Reference, normalised } from './reference.ts';
import { type Client, Served } from './served.ts';
import { cpuSince, processCpu } from './thread-cpu.ts';

const uploadTargetUs = 500;
const queryTargetUs = 2_000;
/** Of a first upload and of a further one. */
const [firstCount, furtherCount] = [10, 50];
const atOnce = 8;

export const keys: Scenario = async (bench) => {
  const { keyUsers, keyRefills, keyQueries } = bench.sizes;
  const served = await Served.start(bench);
  try {
    const users = await served.clients(keyUsers);
    const half = Math.ceil(keyUsers / 2);
    let serial = 0;
    const refill = (user: Client): Promise<string> =>
      upload(user, { one_time_keys: namedKeys(++serial, furtherCount) });
    bench.say(`keys: ${half} devices upload, and fill up ${keyRefills} times, to warm up`);
    await each(users.slice(0, half), (user) => upload(user, firstKeys(user)));
    for (let i = 0; i < keyRefills; i++) await each(users.slice(0, half), refill);
    bench.say(`keys: ${keyUsers} devices upload, are asked for, and have a key claimed`);
    const others = users.slice(half);
    const first = await measured(served, others.length, () => each(others, (user) => upload(user, firstKeys(user))));
    const refilled = await measured(served, keyRefills * others.length, async () => {
      for (let i = 0; i < keyRefills; i++) await each(others, refill);
    });
    const [asking] = users as [Client];
    const all = Object.fromEntries(users.map(({ userId }) => [userId, []]));
    const query = async (): Promise<void> => {
      for (let i = 0; i < keyQueries; i++)
        await asking.call('POST', '/_matrix/client/v3/keys/query', { device_keys: all });
    };
    await query();
    const queried = await measured(served, keyQueries, query);
    const claim = (user: Client): Promise<string> => user.call('POST', '/_matrix/client/v3/keys/claim', wish([user]));
    await each(users.slice(0, half), claim);
    const claimed = await measured(served, others.length, () => each(others, claim));
    const inOne = await measured(served, 1, () => asking.call('POST', '/_matrix/client/v3/keys/claim', wish(users)));
    return [
      ...describe(`upload of a new device, ${firstCount} one-time keys`, first, uploadTargetUs),
      ...describe(`upload of ${furtherCount} further one-time keys`, refilled),
      ...describe(`query of ${keyUsers} devices`, queried, queryTargetUs),
      ...describe('claim of one key', claimed),
      ...describe(`claim of ${keyUsers} keys in one request`, inOne),
    ];
  } finally {
    await served.close();
  }
};

interface Cost {
  readonly allUs: number;
  readonly mainUs: number;
  readonly signUs: number;
}

async function measured(served: Served, count: number, work: () => Promise<unknown>): Promise<Cost> {
  const reference = Reference.run();
  const before = processCpu(served.process.pid);
  await work();
  const cpu = cpuSince(before, processCpu(served.process.pid), count);
  return { allUs: cpu.all, mainUs: cpu.main, signUs: reference.stop() };
}

async function each(users: readonly Client[], work: (user: Client) => Promise<unknown>): Promise<void> {
  for (let at = 0; at < users.length; at += atOnce) await Promise.all(users.slice(at, at + atOnce).map(work));
}

function upload(user: Client, body: unknown): Promise<string> {
  return user.call('POST', '/_matrix/client/v3/keys/upload', body);
}

function firstKeys({ userId, deviceId }: Client): unknown {
  const signature = { [userId]: { [`ed25519:${deviceId}`]: 's'.repeat(86) } };
  return {
    device_keys: {
      user_id: userId,
      device_id: deviceId,
      algorithms: ['m.olm.v1.curve25519-aes-sha2', 'm.megolm.v1.aes-sha2'],
      keys: { [`curve25519:${deviceId}`]: 'c'.repeat(43), [`ed25519:${deviceId}`]: 'e'.repeat(43) },
      signatures: signature,
    },
    one_time_keys: namedKeys(0, firstCount),
    fallback_keys: { 'signed_curve25519:fallback': { key: 'f'.repeat(43), fallback: true, signatures: signature } },
  };
}

function namedKeys(batch: number, count: number): unknown {
  const names = Array.from({ length: count }, (_, index) => `signed_curve25519:${batch}x${index}`);
  return Object.fromEntries(
    names.map((name) => [name, { key: 'k'.repeat(43), signatures: { '@x:y': { z: 's'.repeat(86) } } }]),
  );
}

function wish(users: readonly Client[]): unknown {
  const wanted = users.map(({ userId, deviceId }) => [userId, { [deviceId]: 'signed_curve25519' }]);
  return { one_time_keys: Object.fromEntries(wanted) };
}

function describe(what: string, { allUs, mainUs, signUs }: Cost, atMost?: number): Measurement[] {
  const figure = (thread: string, value: number, wanted?: number): Measurement => ({
    scenario: 'keys',
    what: `${what}: CPU, ${thread}`,
    unit: 'µs',
    value,
    normalised: normalised(value, signUs),
    atMost: wanted,
  });
  return [figure('all threads', allUs, atMost), figure('main thread', mainUs)];
}
