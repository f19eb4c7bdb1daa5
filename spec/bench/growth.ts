/** What must not grow with the rooms of a user, nor with the state of a room. */
import { StateReader } from '../../src/rooms/state/state-reader.ts';
import type { BenchContext, Measurement, Scenario } from './measurement.ts';
import { Reference, normalised, threadCpuUs } from './reference.ts';
import { type Workshop, firstOf, inGroups, inWorkshop, makeRoom } from './workshop.ts';

const ratioMax = 1.3;

/** A sync with one change, for users in few and in many rooms. */
export const roomsOfUser: Scenario = (bench) =>
  inWorkshop(bench, async (workshop) => {
    const { rooms } = workshop;
    const other = await rooms.user('other');
    const found: Found[] = [];
    for (const count of bench.sizes.roomsOfUser) {
      bench.say(`growth: a user in ${count} rooms`);
      const user = await rooms.user(`in${String(count)}`);
      const roomIds = await Promise.all(Array.from({ length: count }, () => rooms.createRoom(other)));
      await inGroups(roomIds, (roomId) => rooms.rooms.joinRoom(user, { roomId }));
      let { next_batch: token } = await rooms.syncOnce(user);
      found.push(
        await measured(bench, String(count), async (index) => {
          await rooms.say(other, roomIds[index % count] ?? firstOf(roomIds), `news ${String(count)} ${String(index)}`);
          return async () => {
            const news = await rooms.syncOnce(user, token);
            token = news.next_batch;
          };
        }),
      );
    }
    return describe('sync with one change, rooms of the user', found);
  });

/** One key of a room's state at any time, and what changed between two times, in small and large rooms. */
export const roomState: Scenario = (bench) =>
  inWorkshop(bench, async (workshop) => {
    const lookUps: Found[] = [];
    const deltas: Found[] = [];
    for (const count of bench.sizes.stateMembers) {
      bench.say(`growth: the state of a room with ${count} members`);
      const looked = await stateOf(bench, workshop, count);
      lookUps.push(looked.lookUp);
      deltas.push(looked.delta);
    }
    return [
      ...describe('look-up in the state, members', lookUps),
      ...describe('20 changes of the state, members', deltas),
    ];
  });

async function stateOf(
  bench: BenchContext,
  workshop: Workshop,
  count: number,
): Promise<{ lookUp: Found; delta: Found }> {
  const { db, rooms } = workshop;
  const { roomId, members } = await makeRoom(workshop, `s${String(count)}`, count);
  const from = db.committedPos();
  const changes = Array.from({ length: 200 }, (_, index) => ({ topic: `topic ${String(index)}` }));
  const [creator] = members;
  if (creator === undefined) throw new Error('a room has a creator');
  await inGroups(changes, (content) =>
    rooms.rooms.sendState(creator, { roomId, type: 'm.room.topic', stateKey: '', content }),
  );
  const to = db.committedPos();
  const { room } = await rooms.ctx.dags.open(roomId);
  const reader = new StateReader(db, rooms.ctx.names);
  const skeys = await Promise.all(members.map(({ userId }) => rooms.ctx.names.findSkey('m.room.member', userId)));
  const known = skeys.filter((skey) => skey !== undefined);
  const lookUp = await measured(bench, String(count), async (index) => {
    const skey = known[(index * 7919) % known.length] ?? 0;
    return async () => void (await reader.stateEventsAt(room, to - (index % (to - from)), [skey]));
  });
  const delta = await measured(bench, String(count), async (index) => {
    const since = from + (index % Math.max(1, to - from - 20));
    return async () => void (await reader.delta(room, since, since + 20));
  });
  return { lookUp, delta };
}

interface Found {
  readonly size: string;
  readonly us: number;
  readonly signUs: number;
}

/** CPU of this thread in what `prepare` gives, mean over many. */
async function measured(
  { sizes }: BenchContext,
  size: string,
  prepare: (index: number) => Promise<() => Promise<void>>,
): Promise<Found> {
  const reference = Reference.before();
  let us = 0;
  for (let index = -sizes.lookUps; index < sizes.lookUps; index++) {
    const work = await prepare(Math.abs(index));
    const before = threadCpuUs();
    await work();
    // the first half is for the compiler
    if (index >= 0) us += threadCpuUs() - before;
    if (index % 100 === 0) reference.sample(10);
  }
  return { size, us: us / sizes.lookUps, signUs: reference.stop() };
}

function describe(what: string, found: readonly Found[]): Measurement[] {
  const each = found.map(({ size, us, signUs }): Measurement => ({
    scenario: 'growth',
    what: `${what}: ${size}`,
    unit: 'µs',
    value: us,
    normalised: normalised(us, signUs),
  }));
  const [smallest, largest] = [firstOf(each), firstOf(each.toReversed())];
  const ratio = (largest.normalised ?? NaN) / (smallest.normalised ?? NaN);
  return [...each, { scenario: 'growth', what: `${what}: growth`, unit: 'ratio', value: ratio, atMost: ratioMax }];
}
