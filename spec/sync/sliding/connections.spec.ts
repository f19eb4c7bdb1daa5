import { expect, it } from 'vitest';
import type { RoomId } from '../../../src/matrix/ids/ids.ts';
import type { Timers } from '../../../src/platform/ports.ts';
import { limits } from '../../../src/platform/limits.ts';
import { connectionsOfDevice } from '../../../src/storage/stores/sliding-store.ts';
import { RequiredState } from '../../../src/sync/sliding/required-state.ts';
import type { SlidingRequest } from '../../../src/sync/sliding/sliding-request.ts';
import { describeOnBothEngines } from '../../support/databases.ts';
import { testPorts } from '../../support/test-ports.ts';
import { TestRooms, type TestUser } from '../../support/test-rooms.ts';
import type { SlidingAnswer } from './support/sliding-client.ts';

const required = new RequiredState([
  { include: [{ type: 'm.room.topic', stateKey: '' }], exclude: [], lazyMembers: true },
]);

describeOnBothEngines('connections of sliding sync', (engine) => {
  const request = (
    requester: TestUser,
    pos: string | undefined,
    more: Partial<SlidingRequest> = {},
  ): SlidingRequest => ({
    requester,
    shape: 'v4',
    connId: 'main',
    pos,
    timeoutMs: 0,
    setPresence: 'online',
    lists: [{ name: 'all', ranges: [[0, 9]], timelineLimit: 3, required, filter: {}, filterKey: '' }],
    subscriptions: new Map(),
    extensions: { receipts: { lists: undefined, rooms: undefined } },
    signature: 'as always',
    signal: new AbortController().signal,
    ...more,
  });
  const ask = async (test: TestRooms, requester: TestUser, pos?: string, more?: Partial<SlidingRequest>) =>
    JSON.parse(await test.sync.sliding(request(requester, pos, more))) as SlidingAnswer;
  const start = async () => {
    const test = new TestRooms(await engine.open(), testPorts(1));
    const [alice, bob] = [await test.user('alice'), await test.user('bob')];
    const rooms: RoomId[] = [];
    for (let i = 0; i < 3; i++) rooms.push(await test.createRoom(alice));
    for (const roomId of rooms) await test.rooms.joinRoom(bob, { roomId });
    return { test, alice, bob, rooms };
  };
  const texts = (answer: SlidingAnswer, roomId: RoomId) =>
    answer.rooms[roomId]?.timeline?.map(({ content }) => content?.['body']);

  it('go on after a restart, with an answer that was lost as well', async () => {
    const { test, alice, bob, rooms } = await start();
    const [first, second] = rooms as [RoomId, RoomId];
    const begun = await ask(test, bob);
    await test.say(alice, first, 'one');
    const told = await ask(test, bob, begun.pos);
    expect(texts(told, first)).toEqual(['one']);
    await test.sync.close();

    const again = test.restarted();
    await again.say(alice, second, 'two');
    await again.setState(alice, second, 'm.room.topic', { topic: 'topic' });
    const repeated = await ask(again, bob, begun.pos);
    expect(texts(repeated, first)).toEqual(['one']);
    expect(texts(repeated, second)).toEqual(['two', undefined]);
    expect(repeated.rooms[second]).not.toHaveProperty('initial');
    expect(repeated.rooms[second]?.required_state).toMatchObject([{ type: 'm.room.topic' }]);
    const next = await ask(again, bob, told.pos);
    expect(Object.keys(next.rooms)).toEqual([second]);
    expect((await ask(again, bob, next.pos)).rooms).toEqual({});
  });

  it('are on disk when closing is done, also where a write was under way', async () => {
    const db = await engine.open();
    const ports = testPorts(1);
    const due: (() => void)[] = [];
    const timers: Timers = {
      after(ms, run) {
        if (ms !== limits.slidingWriteMs) return ports.timers.after(ms, run);
        due.push(run);
        return { cancel: () => undefined };
      },
      soon: (run) => ports.timers.soon(run),
      sleep: (ms) => ports.timers.sleep(ms),
    };
    const test = new TestRooms(db, { ...ports, timers });
    const bob = await test.user('bob');
    await test.createRoom(bob);
    const names = ['a', 'b', 'c', 'd', 'e'];
    for (const connId of names) await ask(test, bob, undefined, { connId });
    for (const run of due) run();
    await test.sync.close();
    expect(await db.all(connectionsOfDevice, { device: bob.deviceNid })).toHaveLength(names.length);
  });

  it('belong to one device, and begin anew without a position', async () => {
    const { test, alice, bob } = await start();
    const begun = await ask(test, bob);
    await expect(ask(test, alice, begun.pos)).rejects.toMatchObject({ errcode: 'M_UNKNOWN_POS' });
    await expect(ask(test, bob, begun.pos, { connId: 'other' })).rejects.toMatchObject({ errcode: 'M_UNKNOWN_POS' });
    await expect(ask(test, bob, 's1')).rejects.toMatchObject({ errcode: 'M_UNKNOWN_POS' });
    const anew = await ask(test, bob);
    expect(Object.keys(anew.rooms)).toHaveLength(3);
    await expect(ask(test, bob, begun.pos)).rejects.toMatchObject({ errcode: 'M_UNKNOWN_POS' });
  });

  it('tell a longer timeline when it is asked for', async () => {
    const { test, alice, bob, rooms } = await start();
    const [room] = rooms as [RoomId];
    for (const text of ['a', 'b', 'c', 'd']) await test.say(alice, room, text);
    const list = (timelineLimit: number) => ({
      lists: [{ name: 'all', ranges: undefined, timelineLimit, required, filter: {}, filterKey: '' }],
      signature: String(timelineLimit),
    });
    const begun = await ask(test, bob, undefined, list(1));
    expect(texts(begun, room)).toEqual(['d']);
    const longer = await ask(test, bob, begun.pos, list(3));
    expect(texts(longer, room)).toEqual(['b', 'c', 'd']);
    expect(longer.rooms[room]).toMatchObject({ expanded_timeline: true, limited: true, num_live: 0 });
    const shorter = await ask(test, bob, longer.pos, list(1));
    expect(shorter.rooms).toEqual({});
    await test.say(alice, room, 'e');
    const news = await ask(test, bob, shorter.pos, list(3));
    expect(texts(news, room)).toEqual(['e']);
    expect((await ask(test, bob, news.pos, list(4))).rooms[room]).toBeUndefined();
  });

  it('tell the members that the timeline needs once, and those that change without a gap', async () => {
    const { test, alice, bob, rooms } = await start();
    const [room] = rooms as [RoomId];
    const members = (answer: SlidingAnswer) =>
      answer.rooms[room]?.required_state
        ?.filter(({ type }) => type === 'm.room.member')
        .map(({ state_key: key }) => key);
    const begun = await ask(test, bob);
    await test.say(alice, room, 'hello');
    const first = await ask(test, bob, begun.pos);
    await test.say(alice, room, 'again');
    const second = await ask(test, bob, first.pos);
    expect([members(begun)?.includes(alice.userId), members(first), members(second)]).toContainEqual(undefined);
    const carol = await test.user('carol');
    await test.rooms.joinRoom(carol, { roomId: room });
    const third = await ask(test, bob, second.pos);
    expect(members(third)).toEqual([carol.userId]);
    expect(third.rooms[room]).toMatchObject({ joined_count: 3, membership: 'join', lists: ['all'] });
  });
});
