import { expect, it } from 'vitest';
import { enqueueEdu } from '../../../src/federation/send/enqueue-edu.ts';
import { limits } from '../../../src/platform/limits.ts';
import { edusWaiting } from '../../../src/storage/stores/outgoing-store.ts';
import type { ServerName } from '../../../src/matrix/ids/ids.ts';
import { describeOnBothEngines } from '../../support/databases.ts';
import { type SendingServer, useSending } from './support/sending-server.ts';

describeOnBothEngines('EDUs to other servers', (engine) => {
  const sending = useSending(engine);
  const start = async (options = {}) => {
    const server = await sending.start(options);
    const alice = await server.test.user('alice');
    const roomId = await server.roomWith(alice, ['one', 'two']);
    const { room } = await server.test.ctx.dags.open(roomId);
    return { server, peers: server.peers, test: server.test, alice, roomId, room };
  };
  const enqueue = async (
    server: SendingServer,
    names: readonly string[],
    content: { readonly n: number },
    replaces?: string,
  ): Promise<void> => {
    const nids = await server.test.ctx.names.serverNids(names as readonly ServerName[]);
    const edu = { type: 'm.test', content, ...(replaces === undefined ? {} : { replaces }) };
    await server.db.write((unit) => enqueueEdu(unit, nids, edu)).committed;
  };
  const untilEdus = (server: SendingServer, name: string, type: string, count: number): Promise<void> =>
    server.ports.until(() => server.peers.edusTo(name, type).length >= count);

  it('say who of ours types, and again while they do', async () => {
    const { server, peers, test, alice, roomId, room } = await start();
    test.rooms.typing.set(room, alice.userId, 120_000);
    await untilEdus(server, 'one', 'm.typing', 1);
    test.rooms.typing.set(room, await server.remote(roomId, { server: 'one' }), 120_000);
    for (let passed = 0; passed < 2 * limits.federationTypingMs; passed += 1_000) {
      await server.untilQuiet();
      await server.ports.advance(1_000);
    }
    await server.untilQuiet();
    await server.ports.advance(limits.federationEphemeralMs);
    test.rooms.typing.set(room, alice.userId, undefined);
    await untilEdus(server, 'two', 'm.typing', 4);
    const told = (typing: boolean) => ({ room_id: roomId, user_id: alice.userId, typing });
    for (const name of ['one', 'two'])
      expect(peers.edusTo(name, 'm.typing')).toEqual([told(true), told(true), told(true), told(false)]);
  });

  it('say what was read, once for many receipts, and nothing of what is private', async () => {
    const { server, peers, test, alice, roomId } = await start();
    const events = [];
    for (let i = 0; i < 4; i++) events.push(await test.say(alice, roomId, `message ${i}`));
    await server.untilTaken('one', events);
    await server.ports.advance(limits.federationEphemeralMs);
    await test.rooms.setReceipt(alice, roomId, 'm.read', events[0]!, undefined);
    await untilEdus(server, 'one', 'm.receipt', 1);
    await server.untilQuiet();
    await test.rooms.setReceipt(alice, roomId, 'm.read.private', events[3]!, undefined);
    const bob = await test.user('bob');
    await test.rooms.joinRoom(bob, { roomId });
    await server.untilQuiet();
    await test.rooms.setReceipt(alice, roomId, 'm.read', events[1]!, undefined);
    await test.rooms.setReceipt(alice, roomId, 'm.read', events[2]!, undefined);
    await test.rooms.setReceipt(bob, roomId, 'm.read', events[2]!, 'main');
    await test.rooms.setReceipt(bob, roomId, 'm.read', events[1]!, undefined);
    await server.untilQuiet();
    expect(peers.edusTo('one', 'm.receipt')).toHaveLength(1);
    await server.ports.advance(limits.federationEphemeralMs);
    await untilEdus(server, 'one', 'm.receipt', 3);
    const ts = expect.any(Number) as number;
    expect(peers.edusTo('one', 'm.receipt')).toEqual([
      { [roomId]: { 'm.read': { [alice.userId]: { data: { ts }, event_ids: [events[0]] } } } },
      {
        [roomId]: {
          'm.read': {
            [alice.userId]: { data: { ts }, event_ids: [events[2]] },
            [bob.userId]: { data: { thread_id: 'main', ts }, event_ids: [events[2]] },
          },
        },
      },
      { [roomId]: { 'm.read': { [bob.userId]: { data: { ts }, event_ids: [events[1]] } } } },
    ]);
  });

  it('say how users are to the servers that share a room with them', async () => {
    const { server, peers, test, alice } = await start();
    await test.rooms.joinRoom(await test.user('bob'), { roomId: await test.createRoom(alice) });
    const tell = (presence: 'online' | 'unavailable', of = alice): void => {
      server.presences.set(of.userNid, { presence });
      const told = { state: presence, statusMessage: undefined, activity: { lastActiveMs: 0 } };
      server.db.write((unit) => {
        const pos = unit.nextPos();
        unit.wake({ kind: 'presence', userNid: of.userNid, pos, told: { ...told, pos } });
      });
    };
    tell('online');
    tell('online', await test.user('bob'));
    await untilEdus(server, 'one', 'm.presence', 1);
    await untilEdus(server, 'two', 'm.presence', 1);
    tell('unavailable');
    await server.untilQuiet();
    tell('online');
    await server.untilQuiet();
    await server.ports.advance(limits.federationEphemeralMs);
    await untilEdus(server, 'one', 'm.presence', 2);
    const push = [{ user_id: alice.userId, presence: 'online' }];
    expect(peers.edusTo('one', 'm.presence')).toEqual([{ push }, { push }]);
  });

  it('say how users are to a server that comes into a room with its first user, and of ours who come into one', async () => {
    const { server, peers, test, alice, roomId } = await start();
    const [bob, carol] = [await test.user('bob'), await test.user('carol')];
    await test.rooms.joinRoom(bob, { roomId });
    for (const user of [alice, carol]) server.presences.set(user.userNid, { presence: 'online' });
    await server.ports.advance(limits.federationWelcomeMs);
    for (const name of ['one', 'two']) await untilEdus(server, name, 'm.presence', 1);
    await server.remote(roomId, { server: 'three' });
    await server.ports.advance(limits.federationWelcomeMs);
    await untilEdus(server, 'three', 'm.presence', 1);
    // Bob is away, and carol is not in the room.
    const ofAlice = { push: [{ user_id: alice.userId, presence: 'online' }] };
    for (const name of ['one', 'two', 'three']) expect(peers.edusTo(name, 'm.presence')).toEqual([ofAlice]);
    await server.remote(roomId, { server: 'three', localpart: 'mallory' });
    await server.ports.advance(limits.federationWelcomeMs + limits.federationEphemeralMs);
    await server.untilQuiet();
    expect(peers.edusTo('three', 'm.presence')).toHaveLength(1);
    await test.rooms.joinRoom(carol, { roomId });
    for (const name of ['one', 'three']) await untilEdus(server, name, 'm.presence', 2);
    const ofCarol = { push: [{ user_id: carol.userId, presence: 'online' }] };
    expect(peers.edusTo('one', 'm.presence')).toEqual([ofAlice, ofCarol]);
  });

  it('that must not be lost are sent in order, and again until they are acknowledged', async () => {
    const { server, peers } = await start();
    peers.down.set('one', 'unreachable');
    for (let n = 0; n < 3; n++) await enqueue(server, ['one', 'two'], { n });
    await untilEdus(server, 'two', 'm.test', 3);
    await server.untilQuiet();
    expect(await server.db.all(edusWaiting, {})).toMatchObject([{ edus: 3 }]);
    await server.sender.close();
    peers.down.delete('one');
    const next = sending.follow(await server.restarted());
    await untilEdus(next, 'one', 'm.test', 3);
    await next.untilQuiet();
    const sent = [0, 1, 2].map((n) => ({ n }));
    expect([peers.edusTo('one', 'm.test'), peers.edusTo('two', 'm.test')]).toEqual([sent, sent]);
    expect(await next.db.all(edusWaiting, {})).toEqual([]);
    expect(await next.eduRows()).toBe(0);
  });

  it('that say all that others said take their place', async () => {
    const { server, peers } = await start();
    peers.down.set('one', 'unreachable').set('two', 'unreachable');
    for (let n = 0; n < 4; n++) await enqueue(server, ['one'], { n }, n % 2 === 0 ? 'even' : undefined);
    await enqueue(server, ['two'], { n: 4 }, 'even');
    await server.untilQuiet();
    await server.ports.advance(600_000);
    await server.untilQuiet();
    expect(await server.eduRows()).toBe(4);
    peers.down.clear();
    for (const name of ['one', 'two']) server.sender.heardFrom(name as ServerName);
    await untilEdus(server, 'one', 'm.test', 3);
    await untilEdus(server, 'two', 'm.test', 1);
    await server.untilQuiet();
    expect(peers.edusTo('one', 'm.test')).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }]);
    expect(peers.edusTo('two', 'm.test')).toEqual([{ n: 4 }]);
  });

  it('come in as many transactions as they need', async () => {
    const { server, peers } = await start();
    peers.hanging.add('one');
    for (let n = 0; n < 200; n++) await enqueue(server, ['one'], { n });
    peers.release();
    await untilEdus(server, 'one', 'm.test', 200);
    await server.untilQuiet();
    expect(peers.edusTo('one', 'm.test')).toEqual(Array.from({ length: 200 }, (_, n) => ({ n })));
    expect(await server.eduRows()).toBe(0);
  });
});
