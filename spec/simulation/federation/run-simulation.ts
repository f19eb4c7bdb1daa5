/** One run: servers, chaos, calm, and what must hold then. */
import type { Random } from '../../../src/platform/ports.ts';
import { seededRandom } from '../../support/test-ports.ts';
import { findDifferences } from './find-differences.ts';
import { elapse, FederatedWorld, type Template } from './federated-world.ts';
import { HostileServer } from './hostile-server.ts';
import { noFaults } from './lossy-network.ts';
import { RandomMates } from './random-mates.ts';
import { readWork } from './server-records.ts';

export interface SimulationOptions {
  readonly seed: number;
  readonly template: Template;
  readonly steps: number;
  /** There is a server that lies, too. */
  readonly isHostile?: boolean;
  /** Told what happens, line by line. */
  readonly log?: (line: string) => void;
}
export interface SimulationResult {
  readonly seed: number;
  /** What does not hold; empty: all is well. */
  readonly problems: readonly string[];
  readonly events: number;
  readonly requests: number;
}

export async function runSimulation(options: SimulationOptions): Promise<SimulationResult> {
  const { seed, template, steps, log, isHostile = false } = options;
  const write = log ?? (() => undefined);
  const world = new FederatedWorld(seed, template, write);
  const random = seededRandom(`${seed} chaos`);
  const { clock } = world.ports;
  const startMs = clock.nowMs();
  const mates = new RandomMates(world, seededRandom(`${seed} mates`), (line) =>
    write(`${((clock.nowMs() - startMs) / 1_000).toFixed(3)} ${line}`),
  );
  await world.start();
  for (let room = 0; room < roomCount; room++) await mates.createRoom(pick(random, versions));
  const hostile = isHostile ? await letIn(world, mates, seed) : undefined;
  await chaos({ world, mates, hostile, random, write }, steps);
  if (hostile !== undefined && random.int(2) === 0) world.network.disconnect(hostile.name);
  const problems = await calmDown(world, mates, write);
  if (problems.length === 0) {
    if (hostile !== undefined) await mates.banEverywhere(hostile.user);
    await mates.joinAgain();
    await speakUp(world, mates);
    problems.push(...(await calmDown(world, mates, write)), ...(await findDifferences(world, mates)));
  }
  const events = Math.max(...world.servers.map(({ databasePath }) => readWork(databasePath).events));
  await world.close();
  problems.push(...mates.faults.map(({ message, cause }) => `${message}: ${String(cause)}`));
  return { seed, problems, events, requests: world.network.requestCount };
}

interface Scene {
  readonly world: FederatedWorld;
  readonly mates: RandomMates;
  readonly hostile: HostileServer | undefined;
  readonly random: Random;
  readonly write: (line: string) => void;
}

/** A server that lies comes into every room. */
async function letIn(
  { network, ports, servers }: FederatedWorld,
  mates: RandomMates,
  seed: number,
): Promise<HostileServer> {
  const others = servers.map(({ name }) => name);
  const hostile = new HostileServer({
    name: hostileName,
    network,
    ports,
    others,
    random: seededRandom(`${seed} lies`),
  });
  for (const { roomId, creator } of mates.rooms) await elapse(ports, hostile.join(roomId, creator.server.name));
  return hostile;
}

async function chaos({ world, mates, hostile, random, write }: Scene, steps: number): Promise<void> {
  const { network, ports, servers } = world;
  const isStormy = random.int(3) > 0;
  network.faults = isStormy ? { lostRequests: 5, lostAnswers: 5, repeated: 5, slow: 15 } : noFaults;
  for (let step = 0; step < steps; step++) {
    const chance = random.int(100);
    const trick = random.int(3) === 0 ? hostile?.trick() : undefined;
    if (trick !== undefined) write(`-- trick ${trick}`);
    const server = pick(random, servers);
    if (chance < 5) {
      const other = pick(random, servers);
      write(`-- cut ${server.name} ${other.name}`);
      if (other !== server) network.cut(server.name, other.name);
    } else if (chance < 7) {
      write(`-- cut off ${server.name}`);
      for (const other of servers) if (other !== server) network.cut(server.name, other.name);
    } else if (chance < 11) {
      write('-- mend');
      network.mendAll();
    } else if (chance < 13 && server.isRunning) {
      write(`-- restart ${server.name}`);
      await server.stop();
      await server.start();
    } else if (chance < 15 && server.isRunning) {
      write(`-- kill ${server.name}`);
      server.kill();
      if (random.int(2) === 0) await server.start();
    } else mates.step();
    if (!server.isRunning && random.int(2) === 0) await server.start();
    await ports.advance(pick(random, pausesMs));
  }
}

/** Everything works again, and time passes until nothing is left to do. */
async function calmDown(world: FederatedWorld, mates: RandomMates, write: (line: string) => void): Promise<string[]> {
  const { network, ports, servers } = world;
  write('-- calm');
  network.mendAll();
  network.faults = noFaults;
  for (const server of servers) if (!server.isRunning) await server.start();
  for (let hour = 0; hour < hoursMax; hour++) {
    await ports.advance(hourMs / 60);
    if (hour > 0) await ports.advance(hourMs);
    if (mates.waitingCount === 0 && network.inFlight === 0 && servers.every(({ databasePath }) => isIdle(databasePath)))
      return [];
  }
  return servers.flatMap(({ name, databasePath }) =>
    isIdle(databasePath)
      ? []
      : [`${name} does not come to rest: ${JSON.stringify(readWork(databasePath, hostileName))}`],
  );
}

function isIdle(databasePath: string): boolean {
  const { stagedPdus, laggingServers, waitingEdus } = readWork(databasePath, hostileName);
  return stagedPdus + laggingServers + waitingEdus === 0;
}

/** In each room everybody's view of it is tied together by somebody of each server. */
async function speakUp(world: FederatedWorld, mates: RandomMates): Promise<void> {
  for (let round = 0; round < 2; round++)
    for (const room of mates.rooms)
      for (const server of world.servers) {
        const mate = await mates.findMember(room, server);
        if (mate !== undefined) await mates.say(room, mate, `round ${round}`);
        await world.ports.advance(60_000);
      }
}

const hostileName = 'm.test';
const roomCount = 2;
const hoursMax = 30;
const hourMs = 3_600_000;
const pausesMs = [0, 0, 5, 50, 500, 2_000, 10_000, 60_000];
const versions = ['1', '2', '3', '4', '5', '6', '7', '8', '9', '10', '11', '11', '12', '12'];

function pick<T>(random: Random, from: readonly T[]): T {
  const picked = from[random.int(from.length)];
  if (picked === undefined) throw new Error('nothing to choose from');
  return picked;
}
