import { describe, expect, it } from 'vitest';
import { useLoopbackServer } from '../../support/loopback-server.ts';
import { TestClient, roomPath } from '../../support/test-client.ts';
import { SlidingClient, readOf } from './support/sliding-client.ts';

describe('lists of sliding sync', () => {
  const server = useLoopbackServer();
  const start = async () => {
    const [alice, bob] = [await TestClient.register(server, 'alice'), await TestClient.register(server, 'bob')];
    const rooms: string[] = [];
    for (const name of ['first', 'second', 'third', 'fourth'])
      rooms.push(await alice.createRoom({ preset: 'public_chat', name }));
    for (const room of rooms) await bob.post(`/join/${encodeURIComponent(room)}`);
    const sliding = new SlidingClient(server, bob);
    return { alice, bob, rooms, sliding };
  };
  const all = (range: [number, number], more = {}) => ({
    lists: { all: { ranges: [range], timeline_limit: 1, required_state: [], ...more } },
  });

  it('show the rooms in which something happened last, and only what changed afterwards', async () => {
    const { alice, rooms, sliding } = await start();
    const [first, , third, fourth] = rooms;
    const begun = await sliding.next(all([0, 1]));
    expect(begun.lists).toEqual({ all: { count: 4 } });
    expect(Object.keys(begun.rooms)).toEqual([fourth, third]);
    expect(begun.rooms[fourth!]).toMatchObject({
      initial: true,
      name: 'fourth',
      joined_count: 2,
      invited_count: 0,
      limited: true,
      num_live: 0,
      notification_count: 0,
    });
    expect(readOf(begun.rooms[fourth!]?.timeline)).toEqual(['m.room.member @bob:localhost']);

    expect(await sliding.next(all([0, 1]))).toMatchObject({ rooms: {}, extensions: {} });
    await alice.say(first!, 'hello');
    const next = await sliding.next(all([0, 1]));
    expect(Object.keys(next.rooms)).toEqual([first]);
    expect(next.rooms[first!]).toMatchObject({ initial: true, num_live: 1, notification_count: 1 });
    await alice.say(first!, 'again');
    const again = await sliding.next(all([0, 1]));
    expect(again.rooms[first!]).toMatchObject({ limited: false, num_live: 1, notification_count: 2 });
    expect(again.rooms[first!]).not.toHaveProperty('initial');
    expect(again.rooms[first!]).not.toHaveProperty('name');
    expect(readOf(again.rooms[first!]?.timeline)).toEqual(['again']);
  });

  it('tell the rooms that a larger range brings in', async () => {
    const { rooms, sliding } = await start();
    const [first, second, third, fourth] = rooms;
    expect(Object.keys((await sliding.next(all([0, 0]))).rooms)).toEqual([fourth]);
    expect(Object.keys((await sliding.next(all([0, 2]))).rooms)).toEqual([third, second]);
    expect(Object.keys((await sliding.next(all([0, 99]))).rooms)).toEqual([first]);
    expect((await sliding.next(all([0, 99]))).rooms).toEqual({});
  });

  it('wait for news', async () => {
    const { alice, rooms, sliding } = await start();
    await sliding.next(all([0, 9]));
    const waiting = sliding.next(all([0, 9]), { timeoutMs: 30_000 });
    await alice.say(rooms[1]!, 'news');
    const { rooms: told } = await waiting;
    expect(readOf(told[rooms[1]!]?.timeline)).toEqual(['news']);
  });

  it('answer a position again, and refuse one that is over', async () => {
    const { alice, rooms, sliding } = await start();
    const { pos } = await sliding.next(all([0, 9]));
    await alice.say(rooms[0]!, 'one');
    const lost = await sliding.next(all([0, 9]), { pos });
    const repeated = await sliding.next(all([0, 9]), { pos });
    expect(repeated.rooms[rooms[0]!]?.timeline).toMatchObject([{ content: { body: 'one' } }]);
    expect(lost.rooms).toMatchObject(Object.fromEntries(Object.keys(repeated.rooms).map((room) => [room, {}])));
    expect((await sliding.next(all([0, 9]), { pos: lost.pos })).rooms).toEqual({});
    const gone = await sliding.ask(all([0, 9]), { pos });
    expect([gone.status, gone.json['errcode']]).toEqual([400, 'M_UNKNOWN_POS']);
    const other = await sliding.ask({ ...all([0, 9]), conn_id: 'other' }, { pos: sliding.pos });
    expect([other.status, other.json['errcode']]).toEqual([400, 'M_UNKNOWN_POS']);
  });

  it('show invites with what was shown of the room, then the room, then that it was left', async () => {
    const { alice, bob, sliding } = await start();
    await sliding.next(all([0, 9], { required_state: [['m.room.member', '$ME']] }));
    const room = await alice.createRoom({ preset: 'private_chat', name: 'secret', invite: [bob.userId] });
    const ask = all([0, 9], {
      required_state: [
        ['m.room.member', '$ME'],
        ['m.room.name', ''],
      ],
    });
    const invited = (await sliding.next(ask)).rooms[room];
    expect(invited).toMatchObject({ initial: true });
    expect(readOf(invited?.invite_state)).toContain(`m.room.member ${bob.userId}`);
    expect(invited).not.toHaveProperty('timeline');
    await bob.post(`${roomPath(room)}/join`);
    const joined = (await sliding.next(ask)).rooms[room];
    expect(joined).toMatchObject({ initial: true, name: 'secret', joined_count: 2 });
    expect(new Set(readOf(joined?.required_state))).toEqual(new Set([`m.room.member ${bob.userId}`, 'm.room.name']));
    await alice.say(room, 'bye');
    await bob.post(`${roomPath(room)}/leave`);
    await alice.say(room, 'not for bob');
    const left = await sliding.next(all([0, 9], { timeline_limit: 5, required_state: [['m.room.member', '$ME']] }));
    expect(left.lists['all']?.count).toBe(4);
    expect(readOf(left.rooms[room]?.timeline)).not.toContain('not for bob');
    expect(left.rooms[room]?.required_state).toMatchObject([
      { state_key: bob.userId, content: { membership: 'leave' } },
    ]);
    expect((await sliding.next(all([0, 9], { required_state: [['m.room.member', '$ME']] }))).rooms).toEqual({});
  });
});
