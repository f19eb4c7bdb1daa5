/** The same messages in rooms with few and many local members: rows, bytes and CPU must not grow with the members. */
import type { Diagnostics } from '../../src/storage/engine.ts';
import type { Measurement, Scenario } from './measurement.ts';
import { median } from './median.ts';
import { Reference, normalised } from './reference.ts';
import { bytesOf } from './stored-bytes.ts';
import { type Room, type Workshop, firstOf, inWorkshop, makeRoom, say, senders } from './workshop.ts';

const rowsMax = 7;
const ratioMax = 1.3;

/** Slices of each room in turn; the first of them are for the compiler. */
const slices = 20;
const slicesToWarmUp = 8;

interface Stored {
  readonly rows: number;
  readonly bytes: number;
  readonly groupSize: number;
}

export const members: Scenario = (bench) =>
  inWorkshop(bench, async (workshop) => {
    const rooms: Room[] = [];
    for (const count of bench.sizes.members) {
      bench.say(`members: a room with ${count} local members`);
      rooms.push(await makeRoom(workshop, `m${String(count)}`, count));
    }
    const found: Measurement[] = [];
    for (const room of rooms) {
      await say(workshop, room, senders);
      found.push(...describe(room, await stored(workshop, room, bench.sizes.messages)));
    }
    bench.say('members: CPU per send');
    found.push(...(await cpuOf(workshop, rooms, bench.sizes.messages)));
    return found;
  });

async function stored(workshop: Workshop, room: Room, messages: number): Promise<Stored> {
  const { db } = workshop;
  const bytesBefore = await bytesOf(workshop);
  const before = await db.diagnostics();
  await say(workshop, room, messages);
  const after = await db.diagnostics();
  return {
    rows: (after.rowsChanged - before.rowsChanged) / messages,
    bytes: ((await bytesOf(workshop)) - bytesBefore) / messages,
    groupSize: groupSize(before, after),
  };
}

/** In turn, so that what else the machine does falls on all of them; medians of the slices. */
async function cpuOf(workshop: Workshop, rooms: readonly Room[], messages: number): Promise<Measurement[]> {
  const slice = Math.ceil(messages / 4);
  const spent = rooms.map((): number[] => []);
  const reference = Reference.before();
  for (let round = 0; round < slices; round++)
    for (const [index, room] of rooms.entries()) {
      const before = process.cpuUsage();
      await say(workshop, room, slice);
      const { user, system } = process.cpuUsage(before);
      if (round >= slicesToWarmUp) spent[index]?.push((user + system) / slice);
      reference.sample(20);
    }
  const signUs = reference.stop();
  const each = spent.map(median);
  return [
    ...rooms.map((room, index) =>
      of(room, 'CPU per send without HTTP, all threads', 'µs', each[index] ?? NaN, {
        normalised: normalised(each[index] ?? NaN, signUs),
      }),
    ),
    of(
      firstOf(rooms.toReversed()),
      'CPU per send to that in the smallest room',
      'ratio',
      (each.at(-1) ?? NaN) / firstOf(each),
      {
        atMost: ratioMax,
      },
    ),
  ];
}

const groupSize = (before: Diagnostics, after: Diagnostics): number =>
  (after.units - before.units) / (after.commits - before.commits);

function describe(room: Room, { rows, bytes, groupSize: units }: Stored): Measurement[] {
  return [
    of(room, 'rows written per message', '', rows, { atMost: rowsMax }),
    of(room, 'bytes stored per message', 'B', bytes),
    of(room, `messages per commit, ${senders} at once`, '', units),
  ];
}

function of(room: Room, what: string, unit: string, value: number, more: Partial<Measurement> = {}): Measurement {
  return { scenario: 'members', what: `${room.members.length} members: ${what}`, unit, value, ...more };
}
