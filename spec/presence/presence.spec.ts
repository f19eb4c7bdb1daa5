import { expect, it } from 'vitest';
import type { RoomId } from '../../src/matrix/ids/ids.ts';
import type { PresenceState } from '../../src/presence/presence-state.ts';
import { limits } from '../../src/platform/limits.ts';
import { describeOnBothEngines } from '../support/databases.ts';
import { testPorts } from '../support/test-ports.ts';
import { type SyncAnswer, TestRooms, type TestUser, nothingNew } from '../support/test-rooms.ts';
import { WatchedDatabase } from '../support/watched-database.ts';

describeOnBothEngines('presence', (engine) => {
  const start = async () => {
    const ports = testPorts(1);
    const db = new WatchedDatabase(await engine.open({ reopenable: true, ports }));
    const test = new TestRooms(db, ports, { hasPresence: true });
    const [alice, bob, carol] = [await test.user('alice'), await test.user('bob'), await test.user('carol')];
    const roomId = await test.createRoom(alice);
    await test.rooms.joinRoom(bob, { roomId });
    return { ports, db, test, alice, bob, carol, roomId, ...toldOf(test, ports) };
  };

  /** What changes is told, and what is told is committed. */
  const toldOf = (test: TestRooms, ports: ReturnType<typeof testPorts>) => {
    const told = async () => {
      await ports.advance(limits.presenceFlushMs);
      await ports.until(() => !test.presence.isTelling);
      await test.ctx.db.drained();
      await ports.settle();
    };
    return {
      told,
      /** The user syncs once and goes away; a sync without a wait. */
      sync: async (user: TestUser, since?: string, setPresence: PresenceState = 'offline') => {
        const answer = await test.syncOnce(user, since, { setPresence });
        await told();
        return answer;
      },
      set: async (user: TestUser, state: PresenceState, statusMessage?: string) => {
        test.presence.setPresence(user, user.userId, state, statusMessage);
        await told();
      },
    };
  };

  const seen = (answer: SyncAnswer) =>
    (answer.presence?.events ?? []).map(({ sender, content }) => `${sender} ${String(content['presence'])}`);

  it('tells who shares a room, once, and nobody else', async () => {
    const { test, alice, bob, carol, sync, set } = await start();
    const [a, b, c] = [await sync(alice), await sync(bob), await sync(carol)];
    expect([a, b, c].map(seen)).toEqual([[], [], []]);
    await set(bob, 'unavailable', 'at lunch');
    const news = await sync(alice, a.next_batch);
    expect(news.presence?.events).toEqual([
      {
        type: 'm.presence',
        sender: bob.userId,
        content: {
          presence: 'unavailable',
          currently_active: false,
          last_active_ago: limits.presenceFlushMs,
          status_msg: 'at lunch',
        },
      },
    ]);
    expect(await test.syncOnce(alice, news.next_batch, { setPresence: 'offline' })).toEqual({
      ...nothingNew,
      next_batch: news.next_batch,
    });
    expect(seen(await sync(alice, a.next_batch))).toEqual(['@bob:test unavailable']);
    expect(seen(await sync(bob, b.next_batch))).toEqual([]);
    expect(seen(await sync(carol, c.next_batch))).toEqual([]);
    expect(seen(await sync(alice))).toEqual(['@bob:test unavailable']);
  });

  it('wakes who waits, tells what came of several changes, and nothing of what was undone', async () => {
    const { ports, test, alice, bob, sync, told, set } = await start();
    const { next_batch: since } = await sync(alice);
    const waiting = test.syncOnce(alice, since, { setPresence: 'offline', timeoutMs: 30_000 });
    await ports.settle();
    test.presence.setPresence(bob, bob.userId, 'online', 'one');
    test.presence.setPresence(bob, bob.userId, 'online', 'two');
    await told();
    const answer = await waiting;
    expect(answer.presence?.events.map(({ content }) => content['status_msg'])).toEqual(['two']);
    test.presence.setPresence(bob, bob.userId, 'unavailable', 'two');
    test.presence.setPresence(bob, bob.userId, 'online', 'two');
    await told();
    expect(seen(await sync(alice, answer.next_batch))).toEqual([]);
    await set(bob, 'online');
    const [event] = (await sync(alice, answer.next_batch)).presence?.events ?? [];
    expect(event?.content).not.toHaveProperty('status_msg');
  });

  it('has people online while they sync, idle without activity, offline when they are gone', async () => {
    const { ports, test, alice, bob, roomId, sync, told } = await start();
    let { next_batch: since } = await sync(alice);
    const news = async () => {
      const answer = await sync(alice, since);
      since = answer.next_batch;
      return seen(answer);
    };
    let { next_batch: bobSince } = await sync(bob, undefined, 'online');
    expect(await news()).toEqual(['@bob:test online']);
    const poll = async (ms: number, setPresence: PresenceState = 'online') => {
      for (let waitedMs = 0; waitedMs < ms; waitedMs += 20_000) {
        const polling = test.syncOnce(bob, bobSince, { timeoutMs: 20_000, setPresence });
        await ports.advance(20_000);
        bobSince = (await polling).next_batch;
      }
      await told();
    };
    await poll(limits.presenceIdleMs - 40_000);
    expect(await news()).toEqual([]);
    await poll(80_000);
    expect(await news()).toEqual(['@bob:test unavailable']);
    await test.say(bob, roomId, 'back');
    await told();
    expect(await news()).toEqual(['@bob:test online']);
    await poll(60_000, 'unavailable');
    expect(await news()).toEqual(['@bob:test unavailable']);
    await poll(60_000, 'online');
    expect(await news()).toEqual(['@bob:test online']);
    await ports.advance(limits.presenceOfflineMs - 5_000);
    await told();
    expect(await news()).toEqual([]);
    await ports.advance(3_000);
    await told();
    expect(await news()).toEqual(['@bob:test offline']);
    await ports.advance(3_600_000);
    expect(await news()).toEqual([]);
    expect(await test.presence.getPresence(alice, bob.userId)).toMatchObject({ presence: 'offline' });
  });

  it('takes the best of the devices, and does not show those who hide', async () => {
    const { ports, test, alice, bob, roomId, sync, told, set } = await start();
    const laptop = { ...bob, deviceNid: 1_000_000 };
    const presence = async () => (await test.presence.getPresence(alice, bob.userId))['presence'];
    expect(await presence()).toBe('offline');
    await sync(bob, undefined, 'unavailable');
    expect(await presence()).toBe('unavailable');
    await sync(laptop, undefined, 'online');
    expect(await presence()).toBe('online');
    test.presence.setPresence(laptop, bob.userId, 'offline', undefined);
    expect(await presence()).toBe('unavailable');
    await ports.advance(limits.presenceOfflineMs);
    expect(await presence()).toBe('offline');
    await set(bob, 'offline');
    await test.say(bob, roomId, 'unseen');
    await told();
    expect(await presence()).toBe('offline');
    await sync(bob, undefined, 'offline');
    expect(await presence()).toBe('offline');
    await sync(bob, undefined, 'online');
    expect(await presence()).toBe('online');
  });

  it('tells those who come into a room and those who are there of each other', async () => {
    const { test, alice, bob, carol, roomId, sync } = await start();
    await sync(bob, undefined, 'online');
    const { next_batch: a } = await sync(alice);
    const { next_batch: c } = await sync(carol, undefined, 'online');
    await test.rooms.joinRoom(carol, { roomId });
    const aliceAnswer = await sync(alice, a);
    expect(seen(aliceAnswer)).toEqual(['@carol:test online']);
    const answer = await sync(carol, c, 'online');
    expect(seen(answer)).toEqual(['@bob:test online']);
    await test.rooms.leaveRoom(carol, { roomId });
    test.presence.setPresence(carol, carol.userId, 'unavailable', undefined);
    expect(seen(await sync(alice, aliceAnswer.next_batch))).toEqual([]);
    expect(seen(await sync(carol, answer.next_batch))).toEqual([]);
  });

  it('tells nothing of what came after they went their ways, and who went meanwhile when they meet again', async () => {
    const { ports, test, alice, bob, roomId, sync, told, set } = await start();
    await sync(bob, undefined, 'online');
    const { next_batch: since } = await sync(alice);
    await set(bob, 'unavailable', 'for the room');
    await test.rooms.leaveRoom(alice, { roomId });
    await set(bob, 'online', 'for others');
    const apart = await sync(alice, since);
    expect(JSON.stringify(apart.presence ?? {})).not.toContain('for others');
    await ports.advance(limits.presenceOfflineMs);
    await told();
    await test.rooms.joinRoom(alice, { roomId });
    expect(seen(await sync(alice, apart.next_batch))).toEqual(['@bob:test offline']);
  });

  it('shows presence to those who share a room only, and their own to everybody', async () => {
    const { test, alice, bob, carol, roomId, set } = await start();
    await set(bob, 'online', 'here');
    expect(await test.presence.getPresence(alice, bob.userId)).toMatchObject({
      presence: 'online',
      status_msg: 'here',
    });
    expect(await test.presence.getPresence(bob, bob.userId)).toMatchObject({ presence: 'online' });
    expect(await test.presence.getPresence(bob, alice.userId)).toEqual({ presence: 'offline' });
    const refused = { errcode: 'M_FORBIDDEN' };
    await expect(test.presence.getPresence(carol, bob.userId)).rejects.toMatchObject(refused);
    await expect(test.presence.getPresence(alice, '@nobody:test' as never)).rejects.toMatchObject(refused);
    expect(() => test.presence.setPresence(alice, bob.userId, 'online', undefined)).toThrow(
      expect.objectContaining(refused),
    );
    await test.rooms.leaveRoom(alice, { roomId });
    await expect(test.presence.getPresence(alice, bob.userId)).rejects.toMatchObject(refused);
    const long = 'ü'.repeat(limits.presenceStatusBytesMax / 2 + 1);
    expect(() => test.presence.setPresence(bob, bob.userId, 'online', long)).toThrow(
      expect.objectContaining({ errcode: 'M_INVALID_PARAM' }),
    );
  });

  it('obeys the filter', async () => {
    const { test, alice, bob, carol, roomId, sync, set } = await start();
    await test.rooms.joinRoom(carol, { roomId });
    const { next_batch: since } = await sync(alice);
    await set(bob, 'online');
    await set(carol, 'online');
    const filtered = async (presence: { [name: string]: string[] | number }) =>
      seen(await test.syncOnce(alice, since, { setPresence: 'offline', filter: { presence } }));
    expect(await filtered({})).toEqual(['@bob:test online', '@carol:test online']);
    expect(await filtered({ limit: 1 })).toEqual(['@carol:test online']);
    expect(await filtered({ limit: 0 })).toEqual([]);
    expect(await filtered({ senders: [bob.userId] })).toEqual(['@bob:test online']);
    expect(await filtered({ not_senders: [bob.userId] })).toEqual(['@carol:test online']);
    expect(await filtered({ types: ['m.room.*'] })).toEqual([]);
    expect(await filtered({ not_types: ['*'] })).toEqual([]);
  });

  it('begins anew after a restart', async () => {
    const { ports, test, alice, bob, carol, roomId, sync, set } = await start();
    await test.rooms.joinRoom(carol, { roomId });
    await set(bob, 'online');
    await set(carol, 'online');
    const { next_batch: since } = await sync(alice);
    await test.presence.close();
    const restarted = test.restarted({ hasPresence: true });
    await restarted.presence.resume();
    const after = toldOf(restarted, ports);
    expect(seen(await after.sync(alice, since))).toEqual([]);
    await after.set(bob, 'online');
    const answer = await after.sync(alice, since);
    expect(seen(answer)).toEqual(['@bob:test online']);
    expect(seen(await after.sync(alice, answer.next_batch))).toEqual([]);
    expect(seen(await after.sync(alice))).toEqual(['@bob:test online']);
    // Carol does not come back.
    await ports.advance(limits.presenceOfflineMs);
    await after.told();
    expect(seen(await after.sync(alice, answer.next_batch))).toContain('@carol:test offline');
  });

  it('asks for all contacts when more changed than it remembers, and misses none', async () => {
    const { test, alice, roomId, sync, told } = await start();
    const many = await Promise.all(
      Array.from({ length: limits.presenceMarksMax + 5 }, (_, index) => test.user(`user${index}`)),
    );
    for (const user of many) await test.rooms.joinRoom(user, { roomId });
    const { next_batch: since } = await sync(alice);
    for (const user of many) test.presence.setPresence(user, user.userId, 'online', undefined);
    for (let flushes = 0; flushes < 5; flushes++) await told();
    const answer = await sync(alice, since);
    expect(seen(answer).toSorted()).toEqual(many.map(({ userId }) => `${userId} online`).toSorted());
    expect(seen(await sync(alice, answer.next_batch))).toEqual([]);
  });

  it('reads nothing on a change or a delivery, and writes nothing', async () => {
    const { ports, db, test, alice, bob, roomId, sync, set, told } = await start();
    await test.say(alice, roomId, 'warm');
    await set(bob, 'online');
    const first = await sync(alice, undefined, 'online');
    const { next_batch: since } = await sync(alice, first.next_batch, 'online');
    const waiting = test.syncOnce(alice, since, { timeoutMs: 30_000 });
    await ports.settle();
    db.reads.length = 0;
    await set(bob, 'unavailable');
    expect(seen(await waiting)).toEqual(['@bob:test unavailable']);
    const { next_batch } = await sync(bob, undefined, 'online');
    const polling = test.syncOnce(bob, next_batch, { timeoutMs: 30_000 });
    await ports.settle();
    await told();
    db.reads.length = 0;
    await test.say(alice, roomId, 'hot');
    expect((await polling).rooms?.join?.[roomId as RoomId]?.timeline.events).toHaveLength(1);
    expect(db.reads).toEqual([]);
  });

  it('takes its time when there are many to tell', async () => {
    const { ports, test, alice, bob, roomId, told } = await start();
    const crowd = await Promise.all(Array.from({ length: 120 }, (_, index) => test.user(`user${index}`)));
    for (const user of crowd) await test.rooms.joinRoom(user, { roomId });
    for (const user of crowd) await test.syncOnce(user, undefined, { setPresence: 'offline' });
    const tokens = await test.syncOnce(alice, undefined, { setPresence: 'offline' });
    for (const user of [...crowd, bob]) test.presence.setPresence(user, user.userId, 'online', undefined);
    await ports.advance(0);
    await ports.until(() => !test.presence.isTelling);
    await test.ctx.db.drained();
    const toldAtOnce = seen(await test.syncOnce(alice, tokens.next_batch, { setPresence: 'offline' })).length;
    expect(toldAtOnce).toBeGreaterThan(limits.presenceTellingsPerSecond / 140);
    expect(toldAtOnce).toBeLessThan(crowd.length);
    for (let flushes = 0; flushes < 10; flushes++) await told();
    expect(seen(await test.syncOnce(alice, tokens.next_batch, { setPresence: 'offline' }))).toHaveLength(121);
  });

  it('tells no more of an account that is no more', async () => {
    const { ports, db, test, alice, bob, sync, set, told } = await start();
    await set(bob, 'online', 'still here');
    const { next_batch: since } = await sync(alice);
    db.write((unit) => unit.wake({ kind: 'account', userNid: bob.userNid, isActive: false }));
    await told();
    expect(seen(await sync(alice, since))).toEqual(['@bob:test offline']);
    await ports.advance(limits.presenceOfflineMs);
    expect(await test.presence.getPresence(alice, bob.userId)).toMatchObject({ presence: 'offline' });
  });
});
