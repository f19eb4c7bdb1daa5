import { expect, it } from 'vitest';
import type { JsonObject } from '../../src/matrix/json/json-value.ts';
import { describeOnBothEngines } from '../support/databases.ts';
import { testPorts } from '../support/test-ports.ts';
import { type ClientEvent, TestRooms } from '../support/test-rooms.ts';

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
});
