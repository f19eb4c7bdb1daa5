import { expect, it } from 'vitest';
import type { RoomId } from '../../../src/matrix/ids/ids.ts';
import { RequiredState } from '../../../src/sync/sliding/required-state.ts';
import type { RoomConfig, SlidingRequest } from '../../../src/sync/sliding/sliding-request.ts';
import { describeOnBothEngines } from '../../support/databases.ts';
import { testPorts } from '../../support/test-ports.ts';
import { TestRooms, type TestUser } from '../../support/test-rooms.ts';
import { WatchedDatabase } from '../../support/watched-database.ts';
import type { SlidingAnswer, SlidingRoom } from './support/sliding-client.ts';

const key = (type: string, stateKey: string) => ({ type, stateKey });
const lazily = new RequiredState([
  {
    include: [
      key('m.room.name', ''),
      key('m.room.topic', ''),
      key('m.room.encryption', ''),
      key('m.room.member', '@bob:test'),
      { type: 'm.space.child' },
    ],
    exclude: [],
    lazyMembers: true,
  },
]);
/** What is asked so is read room by room. */
const wholly = new RequiredState([{ include: [{}], exclude: [], lazyMembers: false }]);

describeOnBothEngines('a first sliding sync of many rooms', (engine) => {
  const scope = { lists: undefined, rooms: undefined };
  const request = (requester: TestUser, connId: string, more: Partial<SlidingRequest>): SlidingRequest => ({
    requester,
    shape: 'unstable',
    connId,
    pos: undefined,
    timeoutMs: 0,
    setPresence: 'offline',
    lists: [],
    subscriptions: new Map(),
    extensions: { receipts: scope, accountData: scope, typing: scope },
    signature: connId,
    signal: new AbortController().signal,
    ...more,
  });
  const listOf = (to: number, timelineLimit: number) => ({
    lists: [{ name: 'all', ranges: [[0, to] as const], timelineLimit, required: lazily, filter: {}, filterKey: '' }],
  });
  const start = async (count: number) => {
    const db = new WatchedDatabase(await engine.open());
    const test = new TestRooms(db, testPorts(1));
    const [alice, bob, carol] = [await test.user('alice'), await test.user('bob'), await test.user('carol')];
    const rooms: RoomId[] = [];
    for (let i = 0; i < count; i++) {
      const roomId = await test.createRoom(alice, { name: i % 3 === 0 ? undefined : `room ${i}` });
      rooms.push(roomId);
      for (const user of [bob, carol]) await test.rooms.joinRoom(user, { roomId });
    }
    const ask = async (connId: string, more: Partial<SlidingRequest>) =>
      JSON.parse(await test.sync.sliding(request(bob, connId, more))) as SlidingAnswer;
    return { db, test, alice, bob, carol, rooms, ask };
  };

  it('reads as often for many as for few', async () => {
    const { db, ask } = await start(13);
    const first = async (to: number, connId: string) => {
      db.reads.length = 0;
      const answer = await ask(connId, listOf(to, 3));
      expect(Object.keys(answer.rooms)).toHaveLength(to + 1);
      return db.reads.length;
    };
    await first(0, 'warms up what concerns the user');
    const [few, many] = [await first(2, 'few'), await first(12, 'many')];
    expect(many).toBeLessThanOrEqual(few + 1);
    expect(await first(12, 'again')).toBeLessThanOrEqual(12);
  });

  it('tells what is told of each room by itself', async () => {
    const { test, alice, bob, carol, rooms, ask } = await start(8);
    const [first, second, third, fourth, fifth] = rooms as [RoomId, RoomId, RoomId, RoomId, RoomId];
    const one = await test.say(carol, first, 'one');
    await test.say(alice, first, 'for you', { 'm.mentions': { user_ids: ['@bob:test'] } });
    await test.rooms.setReceipt(carol, first, 'm.read', one, undefined);
    await test.say(bob, second, 'my own');
    await test.setState(alice, third, 'm.room.avatar', { url: 'mxc://test/avatar' });
    await test.setState(alice, third, 'm.room.name', { name: '' });
    await test.setState(alice, fourth, 'm.space.child', { via: ['test'] }, '!child');
    await test.setState(alice, fourth, 'm.room.history_visibility', { history_visibility: 'joined' });
    await test.rooms.leaveRoom(bob, { roomId: fourth });
    await test.say(alice, fourth, 'unseen');
    await test.rooms.joinRoom(bob, { roomId: fourth });
    await test.rooms.leaveRoom(carol, { roomId: fifth });
    for (let i = 0; i < 12; i++) await test.setState(alice, fifth, 'm.room.topic', { topic: `topic ${i}` });

    const together = await ask('together', listOf(7, 4));
    expect(Object.keys(together.rooms)).toHaveLength(8);
    for (const roomId of rooms) {
      const config: RoomConfig = { timelineLimit: 4, required: wholly };
      const alone = await ask('alone', { subscriptions: new Map([[roomId, config]]) });
      const { required_state: state = [], ...said } = together.rooms[roomId] as SlidingRoom;
      const { required_state: whole = [], ...told } = alone.rooms[roomId] as SlidingRoom;
      expect({ ...said, lists: undefined }).toEqual({ ...told, lists: undefined });
      expect(together.extensions.receipts?.rooms[roomId]).toEqual(alone.extensions.receipts?.rooms[roomId]);
      const ids = new Set(state.map(({ event_id: id }) => id));
      const wanted = (type: string, stateKey: string | undefined) =>
        lazily.matches(type, stateKey ?? '') ||
        (type === 'm.room.member' &&
          told.timeline?.some((event) => [event.sender, event.state_key].includes(stateKey)));
      expect(ids).toEqual(
        new Set(whole.filter((event) => wanted(event.type, event.state_key)).map(({ event_id: id }) => id)),
      );
    }
    expect(together.rooms[first]).toMatchObject({ highlight_count: 1, joined_count: 3 });
    expect(together.rooms[third]).toMatchObject({ avatar: 'mxc://test/avatar', heroes: [{}, {}] });
  });
});
