/**
 * Sliding sync as the unmodified matrix-js-sdk does it: its class SlidingSync asks, and its client is made of what comes. It
 * names a room that it subscribes to in one request only; what happens there afterwards comes by the list.
 */
import type { MatrixClient } from 'matrix-js-sdk';
import { SlidingSync } from 'matrix-js-sdk/lib/sliding-sync.js';
import { afterEach, expect, it } from 'vitest';
import { useLoopbackServer } from '../support/loopback-server.ts';
import { roomPath, succeeded, TestClient } from '../support/test-client.ts';
import { eventually } from './support/eventually.ts';
import { bodyOf, liveEvents, quietClient } from './support/person.ts';

const at = useLoopbackServer();
const stopping: (() => void)[] = [];
afterEach(() => {
  for (const stop of stopping.splice(0)) stop();
});

const list = { ranges: [[0, 1]], timeline_limit: 2, required_state: [['*', '*']] };

async function start(person: TestClient): Promise<{ client: MatrixClient; sliding: SlidingSync }> {
  const { device_id: deviceId } = await succeeded(person.get('/account/whoami'));
  const { userId, token: accessToken = '' } = person;
  const client = quietClient({ baseUrl: at.url, userId, accessToken, deviceId: String(deviceId) });
  const subscription = { timeline_limit: 20, required_state: [['*', '*']] };
  const sliding = new SlidingSync(at.url, new Map([['rooms', list]]), subscription, client, 5_000);
  stopping.push(() => client.stopClient());
  await client.startClient({ slidingSync: sliding });
  return { client, sliding };
}

it('brings lists, rooms that are asked for, what happens in them, and the extensions', async () => {
  const [alice, bob] = [await TestClient.register(at, 'alice'), await TestClient.register(at, 'bob')];
  const rooms: string[] = [];
  for (const name of ['oldest', 'middle', 'newest']) {
    const roomId = await alice.createRoom({ preset: 'public_chat', name });
    await succeeded(bob.post(`/join/${encodeURIComponent(roomId)}`));
    for (let index = 0; index < 5; index++) await alice.say(roomId, `${name} ${index}`);
    rooms.push(roomId);
  }
  const [oldest = '', middle = '', newest = ''] = rooms;
  const { client, sliding } = await start(bob);
  const texts = (roomId: string): string[] => {
    const room = client.getRoom(roomId);
    const messages = room === null ? [] : liveEvents(room).filter((event) => event.getType() === 'm.room.message');
    return messages.map(bodyOf);
  };

  await eventually('the list', () => sliding.getListData('rooms')?.joinedCount === 3 || undefined);
  await eventually('the rooms of the window', () => client.getRoom(middle) !== null || undefined);
  expect(client.getRoom(newest)?.name).toBe('newest');
  expect(client.getRoom(oldest)).toBeNull();
  expect(texts(newest)).toEqual(['newest 3', 'newest 4']);

  sliding.modifyRoomSubscriptions(new Set([oldest]));
  await eventually('the room that is subscribed to', () => texts(oldest).length === 5 || undefined);
  expect(client.getRoom(oldest)?.name).toBe('oldest');

  // Each event once, also where it comes by a subscription and by the list.
  await alice.say(middle, 'to the middle');
  await eventually('a message', () => texts(middle).includes('to the middle') || undefined);
  for (const text of ['one', 'two']) {
    await alice.say(oldest, text);
    await eventually(`the message ${text}`, () => texts(oldest).includes(text) || undefined);
  }
  expect(texts(oldest)).toEqual(['oldest 0', 'oldest 1', 'oldest 2', 'oldest 3', 'oldest 4', 'one', 'two']);

  // Typing, receipts, account data and messages to the device are extensions.
  const said = await bob.say(oldest, 'an answer');
  await eventually('the own message', () => texts(oldest).includes('an answer') || undefined);
  await succeeded(
    alice.put(`${roomPath(oldest)}/typing/${encodeURIComponent(alice.userId)}`, { typing: true, timeout: 30_000 }),
  );
  await eventually(
    'that she types',
    () => client.getRoom(oldest)?.getMember(alice.userId)?.typing === true || undefined,
  );
  await succeeded(alice.post(`${roomPath(oldest)}/receipt/m.read/${encodeURIComponent(said)}`));
  await eventually(
    'that she has read',
    () => client.getRoom(oldest)?.getEventReadUpTo(alice.userId) === said || undefined,
  );
  const accountData = `/user/${encodeURIComponent(bob.userId)}/account_data/org.example.setting`;
  await succeeded(bob.put(accountData, { colour: 'green' }));
  const setting = () => client.getAccountData('org.example.setting' as never)?.getContent();
  await eventually('account data', () => setting() !== undefined || undefined);
  expect(setting()).toEqual({ colour: 'green' });

  sliding.setListRanges('rooms', [[0, 9]]);
  const invitedTo = await alice.createRoom({ preset: 'private_chat', name: 'come', invite: [bob.userId] });
  await eventually('the invite', () => client.getRoom(invitedTo)?.getMyMembership() === 'invite' || undefined);
  expect(sliding.getListData('rooms')?.joinedCount).toBe(4);
}, 120_000);

it('begins anew where the server does not know its position', async () => {
  const alice = await TestClient.register(at, 'alice');
  const roomId = await alice.createRoom({ preset: 'public_chat', name: 'room' });
  const { client } = await start(alice);
  await eventually('the room', () => client.getRoom(roomId) !== null || undefined);
  // Another connection of the same name takes the place of this one.
  const path = '/../unstable/org.matrix.simplified_msc3575/sync';
  await succeeded(alice.call('POST', path, { lists: {} }));
  await alice.say(roomId, 'after that');
  const arrived = () => {
    const room = client.getRoom(roomId);
    return room !== null && liveEvents(room).some((event) => bodyOf(event) === 'after that');
  };
  await eventually('the message', () => arrived() || undefined);
}, 120_000);
