/** Searching many messages, and how long an existing database takes to be indexed. The messages are laid directly. */
import type { RoomId } from '../../src/matrix/ids/ids.ts';
import { encodeEventBody } from '../../src/storage/event-body.ts';
import { systemTimers } from '../../src/platform/timers.ts';
import { type Search, createSearch } from '../../src/search/index.ts';
import { insertEvent, insertEventBody } from '../../src/storage/stores/room-graph-store.ts';
import type { Measurement, Scenario } from './measurement.ts';
import { type Workshop, inWorkshop } from './workshop.ts';
import type { TestUser } from '../support/test-rooms.ts';

const roomCount = 200;
/** Of them the one who searches is in so many. */
const ownRooms = 20;
const messagesPerUnit = 500;
const wordsPerMessage = 10;
const vocabulary = 20_000;
const repetitions = 10;

export const search: Scenario = (bench) =>
  inWorkshop(bench, async (workshop) => {
    const messages = bench.sizes.searchMessages;
    bench.say(`search: ${messages} messages in ${roomCount} rooms`);
    const { alice, roomIds } = await layRooms(workshop, messages);
    bench.say('search: indexing them');
    const before = process.cpuUsage();
    const started = performance.now();
    const searching = createSearch(workshop.rooms.ctx, {
      findsAllUsers: false,
      searchesEvents: true,
      timers: systemTimers,
      onFailed: (error) => {
        throw error;
      },
    });
    try {
      await searching.settled();
      const { user, system } = process.cpuUsage(before);
      const of = (what: string, unit: string, value: number): Measurement => ({
        scenario: 'search',
        what: `${messages} messages: ${what}`,
        unit,
        value,
      });
      const found = [
        of('CPU to index one', 'µs', (user + system) / messages),
        of('time to index all', 's', (performance.now() - started) / 1_000),
      ];
      bench.say('search: searches');
      for (const [what, term, request] of searches(roomIds))
        found.push(of(what, 'ms CPU', await cpuOfSearch(searching, alice, term, request)));
      return found;
    } finally {
      await searching.close();
    }
  });

type Request = Partial<Parameters<Search['events']>[1]>;

function searches(roomIds: readonly RoomId[]): readonly (readonly [string, string, Request])[] {
  const [common, second, rare] = [wordAt(1), wordAt(3), wordAt(vocabulary - 5)];
  const inOne: Request = { filter: { ...bare, rooms: roomIds.slice(0, 1) } };
  return [
    ['a rare word, newest first', rare, { orderBy: 'recent' }],
    ['a common word, newest first', common, { orderBy: 'recent' }],
    ['two common words, newest first', `${common} ${second}`, { orderBy: 'recent' }],
    ['a common word, best first', common, { orderBy: 'rank' }],
    ['a rare word, best first', rare, { orderBy: 'rank' }],
    ['a common word in one room, newest first', common, { orderBy: 'recent', ...inOne }],
    ['a rare word in one room, newest first', rare, { orderBy: 'recent', ...inOne }],
  ];
}

const bare = { lazyLoadMembers: false, includeRedundantMembers: false, unreadThreadNotifications: false };

async function cpuOfSearch(searching: Search, alice: TestUser, term: string, request: Request): Promise<number> {
  const once = () =>
    searching.events(alice, {
      term,
      keys: ['content.body'],
      filter: undefined,
      orderBy: 'recent',
      context: undefined,
      includeState: false,
      groupBy: [],
      nextBatch: undefined,
      ...request,
    });
  await once();
  const before = process.cpuUsage();
  for (let i = 0; i < repetitions; i++) await once();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000 / repetitions;
}

async function layRooms(
  { db, rooms }: Workshop,
  messages: number,
): Promise<{ readonly alice: TestUser; readonly roomIds: readonly RoomId[] }> {
  const [alice, bob] = [await rooms.user('alice'), await rooms.user('bob')];
  const laid: { readonly room: number; readonly roomId: RoomId }[] = [];
  for (let i = 0; i < roomCount; i++) {
    const roomId = await rooms.createRoom(i < ownRooms ? alice : bob);
    laid.push({ room: (await rooms.ctx.dags.open(roomId)).room, roomId });
  }
  const random = seededNumbers();
  for (let at = 0; at < messages; at += messagesPerUnit) {
    const ticket = db.write((unit) => {
      for (let i = at; i < Math.min(at + messagesPerUnit, messages); i++) {
        const { room, roomId } = laid[Math.floor(random() * laid.length)] ?? { room: 0, roomId: '' };
        const body = Array.from({ length: wordsPerMessage }, () => wordAt(Math.floor(random() ** 4 * vocabulary)));
        const [nid, pos] = [db.nextId(), unit.nextPos()];
        const event = {
          type: 'm.room.message',
          room_id: roomId,
          sender: bob.userId,
          origin_server_ts: i,
          content: { msgtype: 'm.text', body: body.join(' ') },
        };
        unit.run(insertEvent, {
          nid,
          eventId: `$laid${i}`,
          room,
          ord: pos * 1024,
          pos,
          type: event.type,
          sender: bob.userNid,
          skey: null,
          ts: i,
          depth: 10,
          sline: null,
          spos: null,
          flags: 0,
          notifySeq: i,
        });
        unit.run(insertEventBody, { nid, body: encodeEventBody(JSON.stringify(event)) });
      }
    });
    await ticket.committed;
  }
  return { alice, roomIds: laid.map(({ roomId }) => roomId) };
}

/** Each as likely as the one before in another run: lower numbers are wanted more often. */
const wordAt = (index: number): string =>
  Array.from(index.toString(36), (digit) => syllables[Number.parseInt(digit, 36) % syllables.length]).join('') + index;
const syllables = ['ка', 'ро', 'ми', 'ту', 'ле', 'су', 'но', 'ва', 'ди', 'по', 'за', 'ре'];

/** The same in every run. */
function seededNumbers(): () => number {
  let state = 1;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}
