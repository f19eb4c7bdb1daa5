import { expect, it } from 'vitest';
import type { RoomId } from '../../src/matrix/ids/ids.ts';
import type { JsonObject } from '../../src/matrix/json/json-value.ts';
import type { MessagesRequest } from '../../src/rooms/read-timeline.ts';
import { describeOnBothEngines } from '../support/databases.ts';
import { testPorts } from '../support/test-ports.ts';
import { type ClientEvent, TestRooms, type TestUser } from '../support/test-rooms.ts';

describeOnBothEngines('filters of sync', (engine) => {
  const start = async () => {
    const test = new TestRooms(await engine.open(), testPorts(1));
    const [alice, bob] = [await test.user('alice'), await test.user('bob')];
    const roomId = await test.createRoom(alice);
    const other = await test.createRoom(alice);
    for (const room of [roomId, other]) await test.rooms.joinRoom(bob, { roomId: room });
    const { next_batch: since } = await test.syncOnce(bob);
    const sync = async (filter: JsonObject, from: string | undefined = since) =>
      (await test.syncOnce(bob, from, { filter })).rooms?.join ?? {};
    return { test, alice, bob, roomId, other, since, sync };
  };
  const told = (events: readonly ClientEvent[] = []) =>
    events.map((event) => event.content['body'] ?? event.content['topic'] ?? event.content['name'] ?? event.type);

  it('tell state that the timeline leaves out as state, once', async () => {
    const { test, alice, roomId, sync } = await start();
    await test.setState(alice, roomId, 'm.room.topic', { topic: 'one' });
    await test.say(alice, roomId, 'hello');
    await test.setState(alice, roomId, 'm.room.topic', { topic: 'two' });
    await test.setState(alice, roomId, 'm.room.name', { name: 'name' });
    const messages = await sync({ room: { timeline: { types: ['m.room.mess*'] } } });
    expect(told(messages[roomId]?.timeline.events)).toEqual(['hello']);
    expect(new Set(told(messages[roomId]?.state.events))).toEqual(new Set(['name', 'two']));
    const names = await sync({ room: { timeline: { types: ['m.room.message', 'm.room.name'] } } });
    expect(told(names[roomId]?.timeline.events)).toEqual(['hello', 'name']);
    expect(told(names[roomId]?.state.events)).toEqual(['two']);
  });

  it('choose rooms, for everything or for a part of it', async () => {
    const { test, alice, roomId, other, sync } = await start();
    for (const room of [roomId, other]) {
      await test.say(alice, room, 'hello');
      await test.setState(alice, room, 'm.room.topic', { topic: 'topic' });
    }
    expect(Object.keys(await sync({ room: { rooms: [roomId] } }))).toEqual([roomId]);
    expect(Object.keys(await sync({ room: { not_rooms: [roomId] } }))).toEqual([other]);
    expect(await sync({ room: { rooms: [] } })).toEqual({});
    const part = await sync({ room: { timeline: { not_rooms: [roomId] }, state: { rooms: [roomId] } } });
    expect(told(part[roomId]?.timeline.events)).toEqual([]);
    expect(told(part[roomId]?.state.events)).toEqual(['topic']);
    expect(told(part[other]?.timeline.events)).toEqual(['hello', 'topic']);
    expect(told(part[other]?.state.events)).toEqual([]);
  });

  it.each([undefined, 'since'] as const)(
    'find what they want far back, and say where there may be more (%s)',
    async (mode) => {
      const { test, alice, roomId, since, sync } = await start();
      for (const body of ['first', 'second', 'third']) {
        await test.rooms.sendMessage(alice, { roomId, type: 'org.example', content: { body } });
        for (let i = 0; i < 30; i++) await test.say(alice, roomId, `${body} ${i}`);
      }
      const from = mode === undefined ? undefined : since;
      const two = await test.syncOnce(await test.user('bob'), from, {
        filter: { room: { timeline: { types: ['org.example'], limit: 2 } } },
      });
      const { timeline } = two.rooms?.join?.[roomId] ?? {};
      expect(told(timeline?.events)).toEqual(['second', 'third']);
      expect(timeline?.limited).toBe(true);
      const all = await sync({ room: { timeline: { types: ['org.example'], limit: 3 } } }, from);
      expect(told(all[roomId]?.timeline.events)).toEqual(['first', 'second', 'third']);
      expect(all[roomId]?.timeline.limited).toBe(false);
    },
  );

  it('with a limit of 0 bring no events, and the state', async () => {
    const { test, alice, roomId, sync } = await start();
    await test.say(alice, roomId, 'hello');
    await test.setState(alice, roomId, 'm.room.topic', { topic: 'topic' });
    const none = await sync({ room: { timeline: { limit: 0 } } });
    expect(none[roomId]?.timeline).toMatchObject({ events: [], limited: true });
    expect(told(none[roomId]?.state.events)).toEqual(['topic']);
  });

  it('look at senders, URLs and types of everything that is told', async () => {
    const { test, alice, bob, roomId, sync } = await start();
    await test.say(alice, roomId, 'from alice', { url: 'mxc://test/1' });
    const eventId = await test.say(bob, roomId, 'from bob');
    await test.rooms.setReceipt(alice, roomId, 'm.read', eventId, undefined);
    await test.rooms.setTyping(alice, roomId, 10_000);
    await test.setAccountData(bob, 'org.example.a', {}, roomId);
    await test.setAccountData(bob, 'org.example.b', {}, roomId);
    await test.ctx.db.drained();
    const timeline = async (filter: JsonObject) =>
      told((await sync({ room: { timeline: filter } }))[roomId]?.timeline.events);
    expect(await timeline({ senders: [bob.userId] })).toEqual(['from bob']);
    expect(await timeline({ not_senders: [bob.userId] })).toEqual(['from alice']);
    expect(await timeline({ contains_url: true })).toEqual(['from alice']);
    expect(await timeline({ contains_url: false })).toEqual(['from bob']);
    const room = (await sync({ room: { ephemeral: { not_types: ['m.typing'] }, account_data: { types: ['*.a'] } } }))[
      roomId
    ];
    expect(told(room?.ephemeral.events)).toEqual(['m.receipt']);
    expect(told(room?.account_data.events)).toEqual(['org.example.a']);
    const quiet = await sync({
      room: { timeline: { types: [] }, ephemeral: { types: [] }, account_data: { types: [] } },
    });
    expect(quiet).toEqual({});
  });

  it('look at a redacted event as it is now', async () => {
    const { test, alice, roomId, sync } = await start();
    const eventId = await test.say(alice, roomId, 'a picture', { url: 'mxc://test/1' });
    await test.rooms.redactEvent(alice, { roomId, eventId, content: {} });
    const { timeline } = (await sync({ room: { timeline: { contains_url: true } } }))[roomId] ?? {};
    expect(timeline?.events ?? []).toEqual([]);
  });

  it('give of each event only the fields that are asked for', async () => {
    const { test, alice, bob, roomId, since } = await start();
    const carol = await test.user('carol');
    await test.setState(alice, roomId, 'm.room.topic', { topic: 'topic', 'a.b': { c: 1, d: 2 } });
    await test.setAccountData(bob, 'org.example', { body: 'mine' }, roomId);
    await test.setAccountData(bob, 'org.example', { body: 'everywhere' });
    for (let i = 0; i < 3; i++) await test.say(carol, await joined(test, carol, roomId), `message ${i}`);
    const invited = await test.createRoom(alice, { invite: [bob.userId], name: 'Room' });
    const fields = ['type', 'content.body', 'content.a\\.b.c'];
    const filter = { event_fields: fields, room: { timeline: { limit: 2 }, state: { types: ['m.room.topic'] } } };
    const answer = await test.syncOnce(bob, since, { filter });
    const room = answer.rooms?.join?.[roomId];
    expect(room?.timeline.events).toEqual([1, 2].map((i) => message(`message ${i}`)));
    expect(room?.state.events).toEqual([{ type: 'm.room.topic', content: { 'a.b': { c: 1 } } }]);
    expect(room?.account_data.events).toEqual([{ type: 'org.example', content: { body: 'mine' } }]);
    expect(answer.account_data?.events).toEqual([{ type: 'org.example', content: { body: 'everywhere' } }]);
    const stripped = answer.rooms?.invite?.[invited]?.invite_state.events ?? [];
    expect(stripped).toContainEqual({ type: 'm.room.name' });
    expect(room?.timeline.prev_batch).toMatch(/^t/);
    const whole = await test.syncOnce(bob, since, { filter: { event_fields: [] } });
    expect(whole.rooms?.join?.[roomId]?.timeline.events.at(-1)).toHaveProperty('event_id');
  });

  it.each(['1', '12'] as const)('give events as servers send them, in a room of version %s', async (roomVersion) => {
    const { test, alice, bob } = await start();
    const roomId = await test.createRoom(alice, { roomVersion });
    await test.rooms.joinRoom(bob, { roomId });
    const eventId = await test.say(bob, roomId, 'hello', roomVersion === '1' ? { number: 1 } : {}, 'txn');
    const redacted = await test.say(bob, roomId, 'taken back');
    await test.rooms.redactEvent(bob, { roomId, eventId: redacted, content: {} });
    const ask = async (filter: JsonObject) =>
      (await test.syncOnce(bob, undefined, { filter })).rooms?.join?.[roomId] ?? fail('the room is told');
    const room = await ask({ event_format: 'federation', room: { timeline: { limit: 3 } } });
    const [sent, gone] = room.timeline.events;
    expect(sent).toMatchObject({ event_id: eventId, room_id: roomId, content: { body: 'hello' } });
    for (const key of ['auth_events', 'prev_events', 'depth', 'hashes', 'signatures']) expect(sent).toHaveProperty(key);
    expect(sent?.unsigned).toMatchObject({ transaction_id: 'txn', membership: 'join' });
    expect(gone).toMatchObject({ event_id: redacted, content: {} });
    const create = room.state.events.find((event) => event.type === 'm.room.create');
    expect(create).toHaveProperty('hashes');
    expect(create?.room_id).toBe(roomVersion === '12' ? undefined : roomId);
    const both = await ask({ event_format: 'federation', event_fields: ['depth', 'hashes.sha256'] });
    expect(Object.keys(both.timeline.events[0] ?? {})).toEqual(['depth', 'hashes']);
  });

  it('choose the rooms of what is told of departures and of account data', async () => {
    const { test, alice, bob, roomId, other, since } = await start();
    for (const room of [roomId, other]) {
      await test.setAccountData(bob, 'org.example.a', { url: 'mxc://test/1' }, room);
      await test.setAccountData(bob, 'org.example.b', {}, room);
      await test.say(alice, room, 'hello');
      await test.rooms.leaveRoom(bob, { roomId: room });
    }
    const leave = async (room: JsonObject) => {
      const rooms = (await test.syncOnce(bob, since, { filter: { room } })).rooms?.leave ?? {};
      return (id: string) => rooms[id] as { account_data: { events: ClientEvent[] } } | undefined;
    };
    const types = (room: { account_data: { events: ClientEvent[] } } | undefined) =>
      room?.account_data.events.map((event) => event.type);
    const part = await leave({ account_data: { not_rooms: [roomId] } });
    expect([types(part(roomId)), types(part(other))]).toEqual([[], ['org.example.a', 'org.example.b']]);
    expect(types((await leave({ account_data: { contains_url: true } }))(roomId))).toEqual(['org.example.a']);
    expect(types((await leave({ account_data: { contains_url: false } }))(roomId))).toEqual(['org.example.b']);
    const one = await leave({ rooms: [other] });
    expect([one(roomId), types(one(other))]).toEqual([undefined, ['org.example.a', 'org.example.b']]);
  });

  it('choose the rooms of invites', async () => {
    const { test, alice, bob, since } = await start();
    const invited = await test.createRoom(alice, { invite: [bob.userId] });
    for (const [filter, told] of [
      [{ rooms: [invited] }, [invited]],
      [{ not_rooms: [invited] }, []],
    ] as const) {
      const answer = await test.syncOnce(bob, since, { filter: { room: filter } });
      expect(Object.keys(answer.rooms?.invite ?? {})).toEqual(told);
    }
  });

  it.each([1, 2, 5, 100])('lose nothing between a limited timeline of %i and the request before', async (limit) => {
    const { test, alice, bob, roomId, since } = await start();
    const sent: string[] = [];
    for (let i = 0; i < 12; i++) {
      await test.setState(alice, roomId, 'org.example', { name: `state ${i}` }, `key ${i % 3}`);
      await test.say(i % 2 === 0 ? alice : bob, roomId, `message ${i}`);
      if (i % 2 === 0) sent.push(`message ${i}`);
    }
    const filter = { room: { timeline: { types: ['m.room.m*'], not_senders: [bob.userId], limit } } };
    const { timeline, state } =
      (await test.syncOnce(bob, since, { filter })).rooms?.join?.[roomId] ?? fail('the room is told');
    expect(told(timeline.events)).toEqual(sent.slice(-limit));
    expect(timeline.limited).toBe(limit < sent.length);
    // What the timeline leaves out is state, each key once and as it is now.
    expect(new Set(told(state.events))).toEqual(new Set(['state 9', 'state 10', 'state 11']));
    expect(state.events).toHaveLength(3);
    const page = { from: timeline.prev_batch, to: since, filter: JSON.stringify(filter.room.timeline) };
    const gap = await pages(test, bob, roomId, page);
    expect([...gap.toReversed(), ...told(timeline.events)]).toEqual(sent);
  });

  const pages = async (test: TestRooms, user: TestUser, roomId: RoomId, request: Partial<MessagesRequest>) => {
    const bodies: unknown[] = [];
    let from = request.from;
    do {
      const page = await test.history(user, roomId, { ...request, ...(from === undefined ? {} : { from }) });
      bodies.push(...told(page.chunk));
      from = page.end;
    } while (from !== undefined);
    return bodies;
  };
  const message = (body: string) => ({ type: 'm.room.message', content: { body } });
  const joined = async (test: TestRooms, user: TestUser, roomId: RoomId) => {
    await test.rooms.joinRoom(user, { roomId });
    return roomId;
  };
});

function fail(what: string): never {
  throw new Error(`not so: ${what}`);
}
