/** The same messages in rooms with few and many local members: rows, bytes and CPU must not grow with the members. */
import Sqlite from 'better-sqlite3';
import pg from 'pg';
import type { Diagnostics } from '../../src/storage/engine.ts';
import type { Measurement, Scenario } from './measurement.ts';
import { Reference, normalised } from './reference.ts';
import { type Room, type Workshop, firstOf, inGroups, inWorkshop, makeRoom } from './workshop.ts';

const rowsMax = 7;
const ratioMax = 1.3;
const stateBytesMax = 80;
const senders = 16;

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
    for (const room of rooms) found.push(...(await storedState(workshop, room, bench.sizes.messages)));
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

/** In turn, so that what else the machine does falls on all of them. */
async function cpuOf(workshop: Workshop, rooms: readonly Room[], messages: number): Promise<Measurement[]> {
  const slice = Math.ceil(messages / 4);
  const spent = rooms.map(() => 0);
  const reference = Reference.before();
  for (let round = 0; round < slices; round++)
    for (const [index, room] of rooms.entries()) {
      const before = process.cpuUsage();
      await say(workshop, room, slice);
      const { user, system } = process.cpuUsage(before);
      if (round >= slicesToWarmUp) spent[index] = (spent[index] ?? 0) + user + system;
      reference.sample(20);
    }
  const signUs = reference.stop();
  const each = spent.map((us) => us / (slice * (slices - slicesToWarmUp)));
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

async function say({ rooms }: Workshop, { roomId, members }: Room, messages: number): Promise<void> {
  const texts = Array.from({ length: messages }, () => `message ${String(++said)} of a bench`);
  await inGroups(
    texts,
    (text, index) => rooms.say(members[index % members.length] ?? firstOf(members), roomId, text),
    senders,
  );
}
let said = 0;

/** State events that replace each other: topics. */
async function storedState(workshop: Workshop, room: Room, changes: number): Promise<Measurement[]> {
  const { roomId } = room;
  const before = [await bytesOf(workshop), await bytesOf(workshop, stateTables)] as const;
  const topics = Array.from({ length: changes }, (_, index) => ({ topic: `topic ${String(index)}` }));
  const creator = firstOf(room.members);
  await inGroups(topics, (content) =>
    workshop.rooms.rooms.sendState(creator, { roomId, type: 'm.room.topic', stateKey: '', content }),
  );
  const withEvent = ((await bytesOf(workshop)) - before[0]) / changes;
  const alone = ((await bytesOf(workshop, stateTables)) - before[1]) / changes;
  return [
    of(room, 'bytes stored per state change, with the event', 'B', withEvent),
    of(room, 'bytes stored per state change, of the state alone', 'B', alone, { atMost: stateBytesMax }),
  ];
}

const stateTables = ['state_change', 'state_change_by_pos'];

/** What tables and indexes take. SQLite: of these; PostgreSQL: the tables among them with all their indexes. */
async function bytesOf({ options, db }: Workshop, names?: readonly string[]): Promise<number> {
  await db.drained();
  if (options.engine === 'postgres') return bytesInPostgres(options.url, names);
  const reader = new Sqlite(options.path, { readonly: true });
  try {
    const rows = reader.prepare<[], { name: string; bytes: number }>(
      'SELECT name, sum(pgsize - unused) AS bytes FROM dbstat GROUP BY name',
    );
    return rows.all().reduce((sum, { name, bytes }) => (names?.includes(name) === false ? sum : sum + bytes), 0);
  } finally {
    reader.close();
  }
}

async function bytesInPostgres(url: string, names?: readonly string[]): Promise<number> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<{ name: string; bytes: string }>(
      `SELECT relname AS name, pg_total_relation_size(oid) AS bytes FROM pg_class
       WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace`,
    );
    return rows.reduce((sum, { name, bytes }) => (names?.includes(name) === false ? sum : sum + Number(bytes)), 0);
  } finally {
    await client.end();
  }
}

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
