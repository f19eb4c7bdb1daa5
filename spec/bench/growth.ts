/** What must not grow with the rooms of a user, nor with the state of a room. */
import { StateReader } from '../../src/rooms/state/state-reader.ts';
import type { BenchContext, Measurement, Scenario } from './measurement.ts';
import { median } from './median.ts';
import { Reference, normalised, threadCpuUs } from './reference.ts';
import { bytesOf } from './stored-bytes.ts';
import { type Workshop, firstOf, inGroups, inWorkshop, makeRoom } from './workshop.ts';

export const syncRatioMax = 1.3;
const stateRatioMax = 1.5;
const stateBytesMax = 80;

/** A sync with one change, for users in few and in many rooms. */
export const roomsOfUser: Scenario = (bench) =>
  inWorkshop(bench, async (workshop) => {
    const { rooms } = workshop;
    const other = await rooms.user('other');
    const cases: Case[] = [];
    for (const count of bench.sizes.roomsOfUser) {
      bench.say(`growth: a user in ${count} rooms`);
      const user = await rooms.user(`in${String(count)}`);
      const roomIds = await Promise.all(Array.from({ length: count }, () => rooms.createRoom(other)));
      await inGroups(roomIds, (roomId) => rooms.rooms.joinRoom(user, { roomId }));
      let { next_batch: token } = await rooms.syncOnce(user);
      cases.push({
        size: String(count),
        prepare: async (index) => {
          await rooms.say(other, roomIds[index % count] ?? firstOf(roomIds), `news ${String(count)} ${String(index)}`);
          return async () => {
            const news = await rooms.syncOnce(user, token);
            token = news.next_batch;
          };
        },
      });
    }
    return describe('sync with one change, rooms of the user', await compared(bench, cases), syncRatioMax);
  });

/** One key of a room's state at any time, what changed between two times, and what a change takes, in small and large rooms. */
export const roomState: Scenario = (bench) =>
  inWorkshop(bench, async (workshop) => {
    const states: RoomState[] = [];
    for (const count of bench.sizes.stateMembers) {
      bench.say(`growth: the state of a room with ${count} members`);
      states.push(await stateOf(bench, workshop, count));
    }
    const reader = new StateReader(workshop.db, workshop.rooms.ctx.names);
    const lookUps = states.map(({ size, room, skeys, from, to }): Case => ({
      size,
      prepare: async (index) => {
        const skey = skeys[(index * 7919) % skeys.length] ?? 0;
        return async () => void (await reader.stateEventsAt(room, to - (index % (to - from)), [skey]));
      },
    }));
    const deltas = states.map(({ size, room, from, to }): Case => ({
      size,
      prepare: async (index) => {
        const since = from + (index % Math.max(1, to - from - 20));
        return async () => void (await reader.delta(room, since, since + 20));
      },
    }));
    return [
      ...describe('look-up in the state, members', await compared(bench, lookUps), stateRatioMax),
      ...describe('20 changes of the state, members', await compared(bench, deltas), stateRatioMax),
      ...states.flatMap(({ stored }) => stored),
    ];
  });

interface RoomState {
  readonly size: string;
  readonly room: number;
  /** Of its members. */
  readonly skeys: readonly number[];
  /** Its topic changed again and again between these positions. */
  readonly from: number;
  readonly to: number;
  readonly stored: readonly Measurement[];
}

async function stateOf({ sizes }: BenchContext, workshop: Workshop, count: number): Promise<RoomState> {
  const { db, rooms } = workshop;
  const { roomId, members } = await makeRoom(workshop, `s${String(count)}`, count);
  const creator = firstOf(members);
  const from = db.committedPos();
  const before = [await bytesOf(workshop), await bytesOf(workshop, stateTables)] as const;
  const changes = Array.from({ length: sizes.stateChanges }, (_, index) => ({ topic: `topic ${String(index)}` }));
  await inGroups(changes, (content) =>
    rooms.rooms.sendState(creator, { roomId, type: 'm.room.topic', stateKey: '', content }),
  );
  const withEvent = ((await bytesOf(workshop)) - before[0]) / sizes.stateChanges;
  const alone = ((await bytesOf(workshop, stateTables)) - before[1]) / sizes.stateChanges;
  const { room } = await rooms.ctx.dags.open(roomId);
  const skeys = await rooms.ctx.names.findSkeys(members.map(({ userId }) => ({ type: 'm.room.member', key: userId })));
  const what = `bytes stored per state change, members: ${String(count)}`;
  return {
    size: String(count),
    room,
    skeys: skeys.filter((skey) => skey !== undefined),
    from,
    to: db.committedPos(),
    stored: [
      { scenario: 'growth', what: `${what}, with the event`, unit: 'B', value: withEvent },
      { scenario: 'growth', what: `${what}, of the state alone`, unit: 'B', value: alone, atMost: stateBytesMax },
    ],
  };
}

const stateTables = ['state_change', 'state_change_by_pos'];

/** The same work at one size. */
export interface Case {
  readonly size: string;
  /** Gives what is measured. */
  prepare(index: number): Promise<() => Promise<void>>;
}
export interface Found {
  readonly size: string;
  readonly us: number;
  readonly signUs: number;
}

/**
 * CPU of this thread in what `prepare` gives, medians over many. One size after the other each time, so that what the compiler
 * makes of the program, and what else the machine does, is the same for all.
 */
export async function compared({ sizes }: BenchContext, cases: readonly Case[]): Promise<Found[]> {
  const reference = Reference.before();
  const spent = cases.map((): number[] => []);
  for (let index = -sizes.lookUps; index < sizes.lookUps; index++) {
    for (const [at, { prepare }] of cases.entries()) {
      const work = await prepare(Math.abs(index));
      const before = threadCpuUs();
      await work();
      // the first half is for the compiler
      if (index >= 0) spent[at]?.push(threadCpuUs() - before);
    }
    if (index % 100 === 0) reference.sample(10);
  }
  const signUs = reference.stop();
  return cases.map(({ size }, at) => ({ size, us: median(spent[at] ?? []), signUs }));
}

export function describe(what: string, found: readonly Found[], ratioMax: number): Measurement[] {
  const each = found.map(({ size, us, signUs }): Measurement => ({
    scenario: 'growth',
    what: `${what}: ${size}`,
    unit: 'µs',
    value: us,
    normalised: normalised(us, signUs),
  }));
  const ratio = firstOf(each.toReversed()).value / firstOf(each).value;
  return [...each, { scenario: 'growth', what: `${what}: growth`, unit: 'ratio', value: ratio, atMost: ratioMax }];
}
