/** Rooms in this process, on a database as the server has it (a file and the writer's thread, or PostgreSQL), without HTTP. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RoomId } from '../../src/matrix/ids/ids.ts';
import { systemClock } from '../../src/platform/clock.ts';
import type { Ports } from '../../src/platform/ports.ts';
import { systemRandom } from '../../src/platform/random.ts';
import { systemTimers } from '../../src/platform/timers.ts';
import { threadWorkers } from '../../src/platform/workers.ts';
import type { GroupCommitDatabase } from '../../src/storage/group-commit.ts';
import { type DatabaseOptions, openDatabase } from '../../src/storage/open.ts';
import { testPorts } from '../support/test-ports.ts';
import { TestRooms, type TestUser } from '../support/test-rooms.ts';
import type { BenchContext } from './measurement.ts';

/** So many at once: as many as a busy server has. */
const atOnce = 64;
/** Who send messages at once. */
export const senders = 16;

export interface Workshop {
  readonly db: GroupCommitDatabase;
  readonly rooms: TestRooms;
  /** Where the database is. */
  readonly options: DatabaseOptions;
}

export async function inWorkshop<T>(bench: BenchContext, work: (workshop: Workshop) => Promise<T>): Promise<T> {
  return onDatabase(bench, async (db, options) => {
    const rooms = new TestRooms(db, ports);
    try {
      return await work({ db, rooms, options });
    } finally {
      await rooms.sync.close();
    }
  });
}

/** An empty one, which is closed and removed afterwards. */
export async function onDatabase<T>(
  bench: BenchContext,
  work: (db: GroupCommitDatabase, options: DatabaseOptions) => Promise<T>,
): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'veche-bench-'));
  const url = await bench.postgres?.();
  const options: DatabaseOptions =
    url === undefined ? { engine: 'sqlite', path: join(folder, 'veche.db') } : { engine: 'postgres', url };
  try {
    const db = await openDatabase(options, ports);
    try {
      return await work(db, options);
    } finally {
      await db.close();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The real ones; nothing here asks the network. */
export const ports: Ports = {
  ...testPorts(1),
  clock: systemClock,
  timers: systemTimers,
  random: systemRandom,
  workers: threadWorkers,
};

export interface Room {
  readonly roomId: RoomId;
  /** The creator first. */
  readonly members: readonly TestUser[];
}

/** Users are named after `name`, so that rooms do not share them. */
export async function makeRoom({ rooms }: Workshop, name: string, memberCount: number): Promise<Room> {
  const members: TestUser[] = [];
  for (let at = 0; at < memberCount; at += atOnce) {
    const count = Math.min(atOnce, memberCount - at);
    const some = Array.from({ length: count }, (_, index) => rooms.user(`${name}-${String(at + index)}`));
    members.push(...(await Promise.all(some)));
  }
  const creator = firstOf(members);
  const roomId = await rooms.createRoom(creator);
  await inGroups(members.slice(1), (member) => rooms.rooms.joinRoom(member, { roomId }));
  return { roomId, members };
}

/** Text messages, of the same number of members in turn whatever the room's size: the first message of a device costs a read. */
export async function say({ rooms }: Workshop, { roomId, members }: Room, messages: number): Promise<void> {
  const speakers = members.slice(0, senders);
  const texts = Array.from({ length: messages }, () => `message ${String(++said)} of a bench`);
  await inGroups(
    texts,
    (text, index) => rooms.say(speakers[index % speakers.length] ?? firstOf(members), roomId, text),
    senders,
  );
}
let said = 0;

export function firstOf<T>([first]: readonly T[]): T {
  if (first === undefined) throw new Error('there is none');
  return first;
}

/** In groups of as many as a busy server has at once. */
export async function inGroups<T>(
  all: readonly T[],
  work: (one: T, index: number) => Promise<unknown>,
  groupSize = atOnce,
): Promise<void> {
  for (let at = 0; at < all.length; at += groupSize)
    await Promise.all(all.slice(at, at + groupSize).map((one, index) => work(one, at + index)));
}
