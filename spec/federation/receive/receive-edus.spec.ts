import { expect, it } from 'vitest';
import { describeOnBothEngines, type TestEngine } from '../../support/databases.ts';
import type { JsonObject } from '../../../src/matrix/json/json-value.ts';
import { limits } from '../../../src/platform/limits.ts';
import { alice, eve, far, FarRoom, other } from './support/far-room.ts';
import { NearServer } from './support/near-server.ts';

const start = async (engine: TestEngine) => {
  const db = await engine.open();
  const room = FarRoom.withMembers();
  const server = new NearServer(db, room);
  await server.take(room);
  const bob = await server.bob();
  const { next_batch: since } = await server.test.syncOnce(bob);
  /** Of a type, what bob is told of the room after `since`. */
  const ephemeral = async (type: string): Promise<JsonObject[]> => {
    const { rooms } = await server.test.syncOnce(bob, since);
    const events = rooms?.join?.[room.roomId]?.ephemeral.events ?? [];
    return events.filter((event) => event.type === type).map(({ content }) => content);
  };
  const denyOther = async (): Promise<void> => {
    const content = { allow: ['*'], deny: [other] };
    await server.send([room.add({ type: 'm.room.server_acl', stateKey: '', sender: alice, content })]);
  };
  return { db, room, server, bob, since, ephemeral, denyOther };
};

const told = async ({ ports, test, db }: NearServer, ms: number = limits.presenceFlushMs): Promise<void> => {
  await ports.advance(ms);
  // A change that came of time alone is told a moment later.
  await ports.advance(limits.presenceFlushMs);
  await ports.until(() => !test.presence.isTelling);
  await db.drained();
};

describeOnBothEngines('EDUs of other servers', (engine) => {
  const typingOf = (room: FarRoom, user_id: string, typing: boolean) => ({
    edu_type: 'm.typing',
    content: { room_id: room.roomId, user_id, typing },
  });

  it('say who types, of their own users and where these are; the last one counts', async () => {
    const { room, server, ephemeral } = await start(engine);
    const edus = [
      typingOf(room, eve, true),
      typingOf(room, '@stranger:far.example', true),
      typingOf(room, alice, false),
      typingOf(room, alice, true),
      { edu_type: 'm.typing', content: { room_id: 5, user_id: [], typing: 'yes' } },
      { edu_type: 'm.typing', content: { room_id: '!none:far.example', user_id: alice, typing: true } },
      { edu_type: 'org.example.unknown', content: {} },
      { edu_type: 'm.typing' },
    ];
    await server.send([], { edus });
    expect(await ephemeral('m.typing')).toEqual([{ user_ids: [alice] }]);
    await server.send([], { edus: [typingOf(room, alice, false)] });
    expect(await ephemeral('m.typing')).toEqual([{ user_ids: [] }]);
    await server.close();
  });

  it('of somebody who types are forgotten when no more come', async () => {
    const { room, server, ephemeral } = await start(engine);
    await server.send([], { edus: [typingOf(room, alice, true)] });
    await server.ports.advance(limits.typingMsMax);
    expect(await ephemeral('m.typing')).toEqual([{ user_ids: [] }]);
    await server.close();
  });

  it('bring receipts, which never go back', async () => {
    const { room, server, ephemeral } = await start(engine);
    const [first, second] = room.chain(alice, 2);
    await server.send([first!, second!]);
    const read = (userId: string, eventId: string, data: JsonObject) => ({
      edu_type: 'm.receipt',
      content: { [room.roomId]: { 'm.read': { [userId]: { event_ids: [eventId], data } } } },
    });
    const [firstId, secondId] = [first!.event.eventId, second!.event.eventId];
    await server.send([], { edus: [read(alice, firstId, { ts: 5 }), read(eve, secondId, { ts: 6 })] });
    expect(await ephemeral('m.receipt')).toEqual([{ [firstId]: { 'm.read': { [alice]: { ts: 5 } } } }]);
    await server.send([], {
      edus: [read(alice, secondId, { ts: 7 }), read(alice, secondId, { ts: 8, thread_id: 'main' })],
    });
    await server.send([], {
      edus: [read(alice, firstId, { ts: 9 }), read(alice, firstId, { ts: 9, thread_id: '$none' })],
    });
    const told = await ephemeral('m.receipt');
    expect(told.flatMap((content) => Object.keys(content))).toEqual([secondId, secondId]);
    expect(told).toContainEqual({ [secondId]: { 'm.read': { [alice]: { ts: 8, thread_id: 'main' } } } });
    expect(told).toContainEqual({ [secondId]: { 'm.read': { [alice]: { ts: 7 } } } });
    await server.close();
  });

  it('with private receipts, or with receipts of what is no reading, tell nobody anything', async () => {
    const { room, server, ephemeral } = await start(engine);
    const said = room.say(alice, 'said');
    await server.send([said]);
    const receipt = { event_ids: [said.event.eventId], data: { ts: 1 } };
    const contents = [
      { [room.roomId]: { 'm.read.private': { [alice]: receipt } } },
      { [room.roomId]: { 'm.read': { [alice]: { event_ids: 'x', data: {} } } } },
      { [room.roomId]: { 'm.read': { '@stranger:far.example': receipt } } },
      { [room.roomId]: [] },
      { '!none:far.example': { 'm.read': { [alice]: receipt } } },
    ];
    await server.send([], { edus: contents.map((content) => ({ edu_type: 'm.receipt', content })) });
    expect(await ephemeral('m.receipt')).toEqual([]);
    await server.close();
  });

  it('of a server that may not take part in a room count for nothing there', async () => {
    const { room, server, ephemeral, denyOther } = await start(engine);
    await denyOther();
    const receipt = { event_ids: [room.tip], data: { ts: 1 } };
    const edus = [
      typingOf(room, eve, true),
      { edu_type: 'm.receipt', content: { [room.roomId]: { 'm.read': { [eve]: receipt } } } },
    ];
    await server.send([], { origin: other, edus });
    expect(await ephemeral('m.typing')).toEqual([]);
    expect(await ephemeral('m.receipt')).toEqual([]);
    await server.close();
  });

  it('tell who is online, until they are offline or their server is silent', async () => {
    const { server, bob, since } = await start(engine);
    const push = (user_id: string, presence: string, status_msg?: string) => ({
      edu_type: 'm.presence',
      content: {
        push: [{ user_id, presence, last_active_ago: 1_000, ...(status_msg === undefined ? {} : { status_msg }) }],
      },
    });
    const seen = async (from: string) => {
      const { presence } = await server.test.syncOnce(bob, from, { setPresence: 'offline' });
      return (presence?.events ?? []).map(({ sender, content }) => [
        sender,
        content['presence'],
        content['status_msg'],
      ]);
    };
    const edus = [
      push(eve, 'online'),
      push('@stranger:far.example', 'online'),
      push(alice, 'busy'),
      push(alice, 'online', 'here'),
    ];
    await server.send([], { edus });
    await told(server);
    expect(await seen(since)).toEqual([[alice, 'online', 'here']]);
    const { next_batch: later } = await server.test.syncOnce(bob, since);
    await server.send([], { origin: other, edus: [push(eve, 'unavailable')] });
    await told(server);
    expect(await seen(later)).toEqual([[eve, 'unavailable', undefined]]);
    await server.send([], { edus: [push(alice, 'offline')] });
    await told(server);
    expect(await seen(later)).toEqual([
      [eve, 'unavailable', undefined],
      [alice, 'offline', undefined],
    ]);
    await told(server, limits.remotePresenceMs * 2);
    expect(await seen(later)).toContainEqual([eve, 'offline', undefined]);
    expect(server.failures).toEqual([]);
    await server.close();
  });

  it('tell of somebody who comes into a room and is online already', async () => {
    const { room, server, bob } = await start(engine);
    const elsewhere = `@carol:${far}` as typeof alice;
    await server.send([room.join(elsewhere)]);
    const online = {
      edu_type: 'm.presence',
      content: { push: [{ user_id: elsewhere, presence: 'online', last_active_ago: 1 }] },
    };
    await server.send([], { edus: [online] });
    await told(server);
    // a first sync tells who is there
    const { presence, next_batch: since } = await server.test.syncOnce(bob);
    expect(presence?.events.map(({ sender }) => sender)).toContain(elsewhere);
    await server.send([room.member(elsewhere, elsewhere, 'leave')]);
    await server.send([room.join(elsewhere)]);
    const again = await server.test.syncOnce(bob, since);
    expect(again.presence?.events.map(({ sender }) => sender)).toContain(elsewhere);
    await server.close();
  });
});
