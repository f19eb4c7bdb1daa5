/**
 * A user joins a room of another server that has many members: CPU of both servers until the joining one has verified every event and
 * knows all members, when the user can talk, and memory. Two processes, over TLS.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../support/free-port.ts';
import { ServerProcess } from '../support/server-process.ts';
import { repository } from '../support/source-files.ts';
import { HttpConnection } from './http-connection.ts';
import type { BenchContext, Measurement, Scenario } from './measurement.ts';
import { median } from './median.ts';
import { normalised, Reference } from './reference.ts';
import { callOn } from './served.ts';
import { processCpu } from './thread-cpu.ts';

const msMax = 200;
const atOnce = 16;
const pauseMs = 10;
const certificates = join(repository, 'spec/fixtures/tls');

export const federationJoin: Scenario = async (bench) => {
  const home = await Peer.start(bench);
  const away = await Peer.start(bench);
  try {
    const found: Measurement[] = [];
    for (const members of bench.sizes.joinedMembers) {
      // Large ones take their time to be made, and what the compiler had to do is done by then.
      const rounds = members > 1_000 ? 1 : bench.sizes.joinRounds;
      found.push(...(await measureJoins(bench, { home, away, members, rounds })));
    }
    return found;
  } finally {
    await Promise.all([home.close(), away.close()]);
  }
};

interface Joins {
  readonly home: Peer;
  readonly away: Peer;
  readonly members: number;
  readonly rounds: number;
}
/** ms; MiB beyond what the process had before. */
interface Joined {
  readonly cpuUntilJoined: number;
  readonly cpu: number;
  readonly untilJoined: number;
  readonly untilWhole: number;
  readonly memory: number;
}

async function measureJoins(bench: BenchContext, { home, away, members, rounds }: Joins): Promise<Measurement[]> {
  const reference = Reference.before();
  const joins: Joined[] = [];
  for (let round = -rounds; round < rounds; round++) {
    bench.say(`federation-join: a room with ${members} members${round < 0 ? ', to warm up' : ''}`);
    const roomId = await home.roomWith(members);
    const joined = await measureJoin(home, away, roomId);
    reference.sample(100);
    if (round >= 0) joins.push(joined);
  }
  const signUs = reference.stop();
  const of = (what: keyof Joined): number => median(joins.map((joined) => joined[what]));
  const what = (text: string): Pick<Measurement, 'scenario' | 'what'> => ({
    scenario: 'federation-join',
    what: `${text}; members: ${members}`,
  });
  const cpu = (value: number) => ({ unit: 'ms', value, normalised: normalised(value, signUs) });
  return [
    { ...what('CPU of both until all is verified'), ...cpu(of('cpu')), ...(members === 500 ? { atMost: msMax } : {}) },
    { ...what('CPU of both until the join returns'), ...cpu(of('cpuUntilJoined')) },
    { ...what('until the user can talk'), unit: 'ms', value: of('untilJoined') },
    { ...what('until the room is whole'), unit: 'ms', value: of('untilWhole') },
    { ...what('most memory of the joining server beyond before'), unit: 'MiB', value: of('memory') },
  ];
}

async function measureJoin(home: Peer, away: Peer, roomId: string): Promise<Joined> {
  const user = await away.register();
  await Promise.all([home.quiet(), away.quiet()]);
  const spent = (): number => (home.cpuUs + away.cpuUs) / 1_000;
  const [cpuBefore, memoryBefore, began] = [spent(), away.memory, performance.now()];
  const path = `/_matrix/client/v3/join/${encodeURIComponent(roomId)}?server_name=${encodeURIComponent(home.name)}`;
  await user.call('POST', path, {});
  const [untilJoined, cpuUntilJoined] = [performance.now() - began, spent() - cpuBefore];
  // Whoever asks for a member waits for them; this one there is not.
  const nobody = encodeURIComponent(`@nobody:${home.name}`);
  let peak = memoryBefore;
  const watch = setInterval(() => (peak = Math.max(peak, away.memory)), pauseMs);
  await user.call(
    'GET',
    `/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/state/m.room.member/${nobody}`,
    undefined,
    404,
  );
  const untilWhole = performance.now() - began;
  clearInterval(watch);
  await Promise.all([home.quiet(), away.quiet()]);
  return { cpuUntilJoined, cpu: spent() - cpuBefore, untilJoined, untilWhole, memory: peak - memoryBefore };
}

interface User {
  readonly userId: string;
  call(method: string, path: string, body?: unknown, status?: number): Promise<string>;
}

/** One of the two servers. */
class Peer {
  readonly name: string;
  readonly #process: ServerProcess;
  readonly #connections: readonly HttpConnection[];
  readonly #users: User[] = [];
  #registered = 0;

  private constructor(name: string, server: ServerProcess, connections: readonly HttpConnection[]) {
    this.name = name;
    this.#process = server;
    this.#connections = connections;
  }

  static async start({ postgres }: BenchContext): Promise<Peer> {
    const port = await freePort();
    const name = `127.0.0.1:${port}`;
    const url = await postgres?.();
    const server = await ServerProcess.start({
      environment: {
        SERVER_NAME: name,
        FEDERATION_PORT: String(port),
        TLS_CERT: join(certificates, 'localhost.pem'),
        TLS_KEY: join(certificates, 'localhost.key'),
        CA_CERT: join(certificates, 'ca.pem'),
        ...(url === undefined ? {} : { DATABASE_URL: url }),
      },
    });
    const connections = await Promise.all(Array.from({ length: atOnce }, () => HttpConnection.open(server.port)));
    return new Peer(name, server, connections);
  }

  /** µs of CPU so far. */
  get cpuUs(): number {
    return processCpu(this.#process.pid).all;
  }
  /** MiB. */
  get memory(): number {
    const status = readFileSync(`/proc/${this.#process.pid}/status`, 'utf8');
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024;
  }

  /** Resolves when it does nothing any more. */
  async quiet(): Promise<void> {
    for (let [before, since] = [this.cpuUs, performance.now()]; performance.now() - since < quietMs;) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      const now = this.cpuUs;
      if (now - before > idleUs) since = performance.now();
      before = now;
    }
  }

  async register(connection = this.#connections[0]!): Promise<User> {
    const registration = {
      username: `user${++this.#registered}`,
      password: 'of the bench',
      auth: { type: 'm.login.dummy' },
    };
    const text = await callOn(connection, undefined, 'POST', '/_matrix/client/v3/register', registration, 200);
    const { user_id: userId, access_token: token } = JSON.parse(text) as { user_id: string; access_token: string };
    return {
      userId,
      call: (method, path, body, status = 200) => callOn(connection, token, method, path, body, status),
    };
  }

  /** Users are made once, and are in all rooms. */
  async roomWith(members: number): Promise<string> {
    const lanes = this.#connections.map(async (connection, lane) => {
      for (let index = lane; index < members; index += atOnce) this.#users[index] ??= await this.register(connection);
    });
    await Promise.all(lanes);
    const [creator] = this.#users;
    const text = await creator!.call('POST', '/_matrix/client/v3/createRoom', {
      preset: 'public_chat',
      name: 'The bench',
    });
    const { room_id: roomId } = JSON.parse(text) as { room_id: string };
    const path = `/_matrix/client/v3/join/${encodeURIComponent(roomId)}`;
    const joins = this.#connections.map(async (_connection, lane) => {
      for (let index = lane; index < members; index += atOnce)
        if (index > 0) await this.#users[index]!.call('POST', path, {});
    });
    await Promise.all(joins);
    return roomId;
  }

  async close(): Promise<void> {
    for (const connection of this.#connections) connection.close();
    await this.#process.close();
  }
}

/** For so long it used less than this between two looks. */
const quietMs = 300;
const idleUs = 2_000;
