/**
 * The server is killed again and again while people send: nothing that was acknowledged is missing, nothing is there twice,
 * and whoever syncs from an old token gets everything in the order of the room.
 */
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, expect, it } from 'vitest';
import type { RoomId } from '../../src/matrix/ids/ids.ts';
import { verifyRoom } from '../../src/rooms/dag/verify-room.ts';
import type { DatabaseOptions } from '../../src/storage/open.ts';
import { openSnapshot } from '../../src/storage/snapshot.ts';
import { onPostgres, onSqlite, type TestEngine } from '../support/databases.ts';
import { ServerProcess } from '../support/server-process.ts';
import { eventually } from './support/eventually.ts';
import { Link, Load, roomPath, type Sent } from './support/load.ts';
import { currentState, foldState, messages, Reader, type ReadEvent } from './support/reader.ts';

const roomCount = 4;
const sendersEach = 3;
/** Ends a test that has failed. */
const patienceMs = 300_000;

let server: ServerProcess | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

onSqlite('a server that is killed while people send (SQLite)', (engine) => {
  it('has lost, doubled and mixed up nothing after ten times', () => survive(engine, 10), patienceMs);
});
onPostgres('a server that is killed while people send (PostgreSQL)', (engine) => {
  it('has lost, doubled and mixed up nothing after two times', () => survive(engine, 2), patienceMs);
});

it.each(['signing.key', 'veche.db', 'veche.db-wal'])(
  'survives a first start that is killed when %s is there',
  async (file) => {
    server = await ServerProcess.start();
    await server.kill();
    await rm(server.dataFolder, { recursive: true });
    const path = join(server.dataFolder, file);
    await startInVain(server, () => eventually(file, () => existsSync(path) || undefined));
    await server.start();
    expect((await gather(new Link(server))).roomIds).toHaveLength(roomCount);
  },
  patienceMs,
);

/** Starts it and kills it when the promise is fulfilled, wherever it is then. */
async function startInVain(server: ServerProcess, moment: () => Promise<unknown>): Promise<void> {
  const started = server.start().then(
    () => 'ready',
    () => 'cut off',
  );
  await moment();
  await server.kill();
  await started;
}

async function survive(engine: TestEngine, crashes: number): Promise<void> {
  const options = engine.name === 'postgres' ? await engine.freshOptions() : undefined;
  const environment = options?.engine === 'postgres' ? { DATABASE_URL: options.url } : {};
  server = await ServerProcess.start({ environment });
  const database = options ?? { engine: 'sqlite', path: join(server.dataFolder, 'veche.db') };

  const link = new Link(server);
  const { tokens, reader: readersToken, roomIds } = await gather(link);
  const first = String((await link.request('GET', '/_matrix/client/v3/sync', readersToken)).json['next_batch']);
  const load = new Load(link, roomIds, Math.random);
  const live = new Reader(link, readersToken, first);
  const senders = Array.from({ length: sendersEach }, () => tokens).flat();
  const running = Promise.all([load.run(senders), live.run()]);
  const crashing = (async () => {
    for (let crash = 0; crash < crashes; crash++) {
      await load.more(10 + Math.floor(Math.random() * 100));
      await delay(Math.random() * 20);
      link.holdBack();
      await server.kill();
      if (crash % 4 === 1) await startInVain(server, () => delay(Math.random() * 1_500));
      await server.start();
      await checkAfterRestart(link, readersToken, first, load);
      link.letPass();
    }
    await load.more(50);
    load.stop();
    live.stop();
  })();
  await Promise.race([running, crashing]);
  await Promise.all([running, crashing]);
  expect(link.lost).toBeGreaterThanOrEqual(crashes);

  await live.catchUp();
  for (const roomId of roomIds) await checkRoom(link, readersToken, roomId, load.acknowledged, live);
  await server.kill();
  await checkStored(database, roomIds);
}

interface Gathered {
  readonly tokens: readonly string[];
  readonly reader: string;
  readonly roomIds: readonly string[];
}

/** Four people and a reader in the same rooms, where everyone may set state. */
async function gather(link: Link): Promise<Gathered> {
  const register = async (username: string): Promise<{ token: string; userId: string }> => {
    const auth = { type: 'm.login.dummy' };
    const { json } = await link.request('POST', '/_matrix/client/v3/register', '', { username, password: 'x', auth });
    return { token: String(json['access_token']), userId: String(json['user_id']) };
  };
  const [owner, ...others] = await Promise.all(['owner', 'anna', 'boris', 'vera', 'reader'].map(register));
  if (owner === undefined) throw new Error('nobody registered');
  const roomIds = await Promise.all(
    Array.from({ length: roomCount }, async () => {
      const { json } = await link.request('POST', '/_matrix/client/v3/createRoom', owner.token, {
        preset: 'public_chat',
        power_level_content_override: { state_default: 0 },
      });
      const roomId = String(json['room_id']);
      for (const { token } of others) await link.request('POST', `${roomPath(roomId)}/join`, token, {});
      return roomId;
    }),
  );
  const reader = others.pop()?.token ?? '';
  return { tokens: [owner, ...others].map(({ token }) => token), reader, roomIds };
}

/** While nobody sends: what was acknowledged is there, and sending it again gives the same event. */
async function checkAfterRestart(link: Link, token: string, first: string, load: Load): Promise<void> {
  const old = new Reader(link, token, first);
  await old.catchUp();
  expect(missing(load.acknowledged, old)).toEqual([]);
  const messagesSent = load.acknowledged.filter(({ path }) => path.includes('/send/'));
  for (const sent of messagesSent.slice(-5)) {
    const again = await link.request('PUT', sent.path, sent.token, sent.content);
    expect(again.json['event_id']).toBe(sent.eventId);
  }
}

function missing(acknowledged: readonly Sent[], { events }: Reader): readonly Sent[] {
  const ids = new Map([...events].map(([roomId, ofRoom]) => [roomId, new Set(ofRoom.map(({ eventId }) => eventId))]));
  return acknowledged.filter(({ roomId, eventId }) => ids.get(roomId)?.has(eventId) !== true);
}

async function checkRoom(
  link: Link,
  token: string,
  roomId: string,
  acknowledged: readonly Sent[],
  live: Reader,
): Promise<void> {
  const history = await messages(link, token, roomId, { dir: 'f' });
  const ids = history.map(({ eventId }) => eventId);
  expect(new Set(ids).size).toBe(ids.length);
  expect((await messages(link, token, roomId, { dir: 'b' })).map(({ eventId }) => eventId)).toEqual(ids.toReversed());

  const sent = acknowledged.filter((one) => one.roomId === roomId);
  expect(sent.filter(({ eventId }) => !ids.includes(eventId))).toEqual([]);
  expectInOrderOnce(history, sent);

  // Whoever synced all along has the same, from where it began.
  const read = (live.events.get(roomId) ?? []).map(({ eventId }) => eventId);
  expect(read).toEqual(ids.slice(ids.length - read.length));
  expect(read.length).toBeGreaterThanOrEqual(sent.length);

  expect(await currentState(link, token, roomId)).toEqual(foldState(history));
}

/** All that was sent is there once, of each sender in the order in which it was sent; and nothing that nobody sent. */
function expectInOrderOnce(history: readonly ReadEvent[], sent: readonly Sent[]): void {
  const labels = history.filter(({ content }) => typeof content['label'] === 'string').map(labelOf);
  expect(labels.toSorted()).toEqual(sent.map(labelOf).toSorted());
  for (const [sender, ofSender] of Map.groupBy(labels, (label) => label.split('.')[0])) {
    const numbers = ofSender.map((label) => Number(label.split('.')[1]));
    expect([sender, numbers]).toEqual([sender, numbers.toSorted((a, b) => a - b)]);
  }
}

const labelOf = ({ content }: Pick<ReadEvent, 'content'>): string => String(content['label']);

/** Forward extremities, verdicts and states, computed again from the stored events. */
async function checkStored(database: DatabaseOptions, roomIds: readonly string[]): Promise<void> {
  const snapshot = await openSnapshot(database);
  try {
    for (const roomId of roomIds) {
      const report = await verifyRoom(snapshot, roomId as RoomId);
      expect(report).toMatchObject({ problems: [], extremities: 1, taken: 0 });
    }
  } finally {
    await snapshot.close();
  }
}
