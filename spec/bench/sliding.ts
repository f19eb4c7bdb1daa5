/** Simplified sliding sync as Element X asks for it: the first answer, one without news, and one with a single change. */
import { RequiredState, type StatePattern } from '../../src/sync/sliding/required-state.ts';
import type { SlidingRequest } from '../../src/sync/sliding/sliding-request.ts';
import type { TestUser } from '../support/test-rooms.ts';
import { type Case, compared, describe, syncRatioMax } from './growth.ts';
import type { BenchContext, Measurement, Scenario } from './measurement.ts';
import { type Workshop, firstOf, inGroups, inWorkshop } from './workshop.ts';

const firstSyncMaxUs = 3_000;
const nothingNewMaxUs = 200;
const roomsShown = 20;

/** A first answer takes as long as many of the others. */
const firstSyncs = 300;

export const sliding: Scenario = (bench) =>
  inWorkshop(bench, async (workshop) => {
    const cases: Cases[] = [];
    for (const count of bench.sizes.roomsOfUser) cases.push(await inRooms(bench, workshop, count));
    const few = { ...bench, sizes: { ...bench.sizes, lookUps: Math.min(bench.sizes.lookUps, firstSyncs) } };
    const first = await compared(
      few,
      cases.map((each) => each.first),
    );
    const nothing = await compared(
      bench,
      cases.map((each) => each.nothing),
    );
    const change = await compared(
      bench,
      cases.map((each) => each.change),
    );
    return [
      ...describe(`first sliding sync of ${roomsShown} rooms, rooms of the user`, first, Infinity).map(
        atMost(firstSyncMaxUs),
      ),
      ...describe('sliding sync without news, rooms of the user', nothing, syncRatioMax).map(atMost(nothingNewMaxUs)),
      ...describe('sliding sync with one change, rooms of the user', change, syncRatioMax),
    ];
  });

const atMost =
  (us: number) =>
  (measurement: Measurement): Measurement => {
    const { atMost: ratioMax, ...rest } = measurement;
    if (measurement.unit === 'µs') return { ...rest, atMost: us };
    return ratioMax === Infinity ? rest : measurement;
  };

interface Cases {
  readonly first: Case;
  readonly nothing: Case;
  readonly change: Case;
}

async function inRooms(bench: BenchContext, { rooms }: Workshop, count: number): Promise<Cases> {
  bench.say(`sliding: a user in ${count} rooms`);
  const other = await rooms.user(`slider${String(count)}`);
  const user = await rooms.user(`slides${String(count)}`);
  const roomIds = await Promise.all(Array.from({ length: count }, () => rooms.createRoom(other)));
  await inGroups(roomIds, (roomId) => rooms.rooms.joinRoom(user, { roomId }));
  const ask = async (pos: string | undefined, range: readonly [number, number], connId: string): Promise<string> => {
    const text = await rooms.sync.sliding(requestOf(user, pos, range, connId));
    return /"pos":"([^"]+)"/.exec(text)?.[1] ?? '';
  };
  const all = [0, count - 1] as const;
  let pos = await ask(await ask(undefined, all, 'main'), all, 'main');
  const again = async (): Promise<void> => {
    pos = await ask(pos, all, 'main');
  };
  const size = String(count);
  let said = 0;
  return {
    first: {
      size,
      prepare: (index) =>
        Promise.resolve(async () => void (await ask(undefined, [0, roomsShown - 1], `first ${index % 4}`))),
    },
    nothing: { size, prepare: () => Promise.resolve(again) },
    change: {
      size,
      prepare: async (index) => {
        await rooms.say(other, roomIds[index % count] ?? firstOf(roomIds), `sliding ${size} ${String(++said)}`);
        return again;
      },
    },
  };
}

const key = (type: string, stateKey: string | undefined = ''): StatePattern => ({ type, stateKey });

function requestOf(
  requester: TestUser,
  pos: string | undefined,
  range: readonly [number, number],
  connId: string,
): SlidingRequest {
  const include = [
    ...['m.room.name', 'm.room.encryption', 'm.room.topic', 'm.room.avatar', 'm.room.canonical_alias'].map((type) =>
      key(type),
    ),
    ...['m.room.power_levels', 'm.room.join_rules', 'm.room.tombstone', 'm.room.create'].map((type) => key(type)),
    key('m.room.history_visibility'),
    key('m.room.member', requester.userId),
    { type: 'org.matrix.msc3401.call.member' },
    { type: 'm.space.parent' },
    { type: 'm.space.child' },
    { type: 'm.beacon_info' },
  ];
  const required = new RequiredState([{ include, exclude: [], lazyMembers: true }]);
  const scope = { lists: undefined, rooms: undefined };
  return {
    requester,
    shape: 'unstable',
    connId,
    pos,
    timeoutMs: 0,
    setPresence: 'offline',
    lists: [{ name: 'all_rooms', ranges: [range], timelineLimit: 1, required, filter: {}, filterKey: '' }],
    subscriptions: new Map(),
    extensions: { accountData: scope, receipts: scope, typing: scope },
    signature: String(range[1]),
    signal: new AbortController().signal,
  };
}
