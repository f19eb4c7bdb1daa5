import { expect, it } from 'vitest';
import { MatrixError } from '../../../src/matrix/errors.ts';
import type { RoomId } from '../../../src/matrix/ids/ids.ts';
import type { JsonObject } from '../../../src/matrix/json/json-value.ts';
import { limits } from '../../../src/platform/limits.ts';
import { DelayedEvents, type DelayedEventsOptions } from '../../../src/rooms/delayed-events/delayed-events.ts';
import type { DelayRequest } from '../../../src/rooms/delayed-events/schedule-event.ts';
import { describeOnBothEngines } from '../../support/databases.ts';
import { testPorts } from '../../support/test-ports.ts';
import { TestRooms, type TestUser } from '../../support/test-rooms.ts';
import { WatchedDatabase } from '../../support/watched-database.ts';

const missing = { status: 404, errcode: 'M_NOT_FOUND' };
const conflict = { status: 409, errcode: 'M_UNKNOWN' };
const suspended = new MatrixError(403, 'M_USER_SUSPENDED', 'suspended');

describeOnBothEngines('delayed events', (engine) => {
  const start = async (options: Partial<DelayedEventsOptions> = {}) => {
    const db = new WatchedDatabase(await engine.open());
    const ports = testPorts(1);
    let test = new TestRooms(db, ports);
    const [alice, bob] = [await test.user('alice'), await test.user('bob')];
    const roomId = await test.createRoom(alice);
    await test.rooms.joinRoom(bob, { roomId });
    const refused = new Map<number, MatrixError>();
    const failures: unknown[] = [];
    const begin = async (): Promise<DelayedEvents> => {
      const delayed = new DelayedEvents(test.ctx, {
        delayMsMax: 3_600_000,
        scheduledMax: 10,
        timers: ports.timers,
        senders: {
          async assertMaySend({ userNid }) {
            const error = refused.get(userNid);
            if (error !== undefined) throw error;
          },
        },
        onFailed: (error) => void failures.push(error),
        ...options,
      });
      await delayed.start();
      return delayed;
    };
    let delayed = await begin();
    const schedule = (request: Partial<DelayRequest> = {}, user: TestUser = alice): Promise<string> =>
      delayed.schedule(user, {
        roomId,
        type: 'm.room.message',
        stateKey: undefined,
        content: { body: 'later' },
        delayMs: 10_000,
        stickyMs: undefined,
        transaction: undefined,
        ...request,
      });
    return {
      db,
      ports,
      alice,
      bob,
      roomId,
      refused,
      failures,
      schedule,
      get test() {
        return test;
      },
      get delayed() {
        return delayed;
      },
      /** What is written may still be on its way when a timer has run. */
      async advance(ms: number): Promise<void> {
        await ports.advance(ms);
        await ports.settle();
        await db.drained();
        await ports.settle();
      },
      async restart(): Promise<void> {
        await delayed.close();
        test = test.restarted();
        delayed = await begin();
      },
      bodies: async () =>
        (await test.history(alice, roomId, { dir: 'f' })).chunk.flatMap((e) => e.content['body'] ?? []),
      stateOf: async (type: string, key = '') =>
        (await test.state(alice, roomId)).find((e) => e.type === type && e.state_key === key)?.content,
      list: (user: TestUser = alice): Promise<readonly JsonObject[]> => delayed.list(user, 'scheduled'),
    };
  };
  type Started = Awaited<ReturnType<typeof start>>;
  /** Polls: databases answer when they like. */
  const whenGone = async (world: Started): Promise<void> => {
    while ((await world.list()).length > 0) await world.advance(0);
  };

  it('are sent when their time has come, in its order, and not before', async () => {
    const world = await start();
    await world.schedule({ delayMs: 3_000, content: { body: 'third' } });
    await world.schedule({ delayMs: 1_000, content: { body: 'first' } });
    await world.schedule({ delayMs: 2_000, content: { body: 'second' } });
    await world.advance(999);
    expect(await world.bodies()).toEqual([]);
    expect((await world.list()).map((item) => item['delay_ms'])).toEqual([1_000, 2_000, 3_000]);
    await world.advance(2_001);
    await whenGone(world);
    expect(await world.bodies()).toEqual(['first', 'second', 'third']);
  });

  it('tell their owner alone what is to be sent, and what became of it', async () => {
    const world = await start();
    const { ports, alice, bob, roomId, delayed } = world;
    const scheduledAt = ports.clock.nowMs();
    const delayId = await world.schedule({ type: 'org.example.state', stateKey: 'key', content: { a: 1 } });
    const waiting = {
      delay_id: delayId,
      room_id: roomId,
      type: 'org.example.state',
      state_key: 'key',
      delay_ms: 10_000,
      scheduled_at: scheduledAt,
      content: { a: 1 },
      delay: 10_000,
      running_since: scheduledAt,
    };
    expect(await world.list()).toEqual([waiting]);
    expect(await delayed.get(alice, delayId)).toEqual(waiting);
    expect(await world.list(bob)).toEqual([]);
    await expect(delayed.get(bob, delayId)).rejects.toMatchObject(missing);
    for (const action of ['send', 'cancel', 'restart'] as const)
      await expect(delayed.manage(bob, delayId, action)).rejects.toMatchObject(missing);
    await world.advance(10_000);
    await whenGone(world);
    expect(await world.stateOf('org.example.state', 'key')).toEqual({ a: 1 });
    const eventId = expect.stringMatching(/^\$/) as string;
    expect(await delayed.get(alice, delayId)).toEqual({
      ...waiting,
      finalised_ts: scheduledAt + 10_000,
      event_id: eventId,
    });
    expect(await delayed.list(alice, 'finalised')).toEqual([
      { delayed_event: waiting, outcome: 'send', reason: 'delay', event_id: eventId },
    ]);
  });

  it('can be sent at once, cancelled and restarted, and a repeated request changes nothing', async () => {
    const world = await start();
    const { alice, delayed } = world;
    const [sent, cancelled, restarted] = [
      await world.schedule({ content: { body: 'sent' } }),
      await world.schedule({ content: { body: 'cancelled' } }),
      await world.schedule({ content: { body: 'restarted' } }),
    ];
    await world.advance(9_999);
    for (let i = 0; i < 2; i++) {
      await delayed.manage(alice, sent, 'send');
      await delayed.manage(undefined, cancelled, 'cancel');
      await delayed.manage(alice, restarted, 'restart');
    }
    expect(await world.bodies()).toEqual(['sent']);
    await world.advance(9_999);
    expect(await world.bodies()).toEqual(['sent']);
    await world.advance(1);
    await whenGone(world);
    expect(await world.bodies()).toEqual(['sent', 'restarted']);
    await expect(delayed.manage(alice, sent, 'cancel')).rejects.toMatchObject(conflict);
    await expect(delayed.manage(alice, sent, 'restart')).rejects.toMatchObject(conflict);
    await expect(delayed.manage(alice, cancelled, 'send')).rejects.toMatchObject(conflict);
    await expect(delayed.manage(alice, cancelled, 'restart')).rejects.toMatchObject(conflict);
    await expect(delayed.manage(alice, 'unknown', 'send')).rejects.toMatchObject(missing);
    expect(await delayed.get(alice, cancelled)).not.toHaveProperty('event_id');
  });

  it('outlive a restart, which sends what is overdue', async () => {
    const world = await start();
    await world.schedule({ content: { body: 'second' }, delayMs: 2_000 });
    await world.schedule({ content: { body: 'first' }, delayMs: 1_000 });
    await world.schedule({ content: { body: 'third' }, delayMs: 60_000 });
    await world.delayed.close();
    await world.advance(50_000);
    expect(await world.bodies()).toEqual([]);
    await world.restart();
    await world.advance(0);
    while ((await world.list()).length > 1) await world.advance(0);
    expect(await world.bodies()).toEqual(['first', 'second']);
    await world.advance(10_000);
    await whenGone(world);
    expect(await world.bodies()).toEqual(['first', 'second', 'third']);
  });

  it('are sent once, when the write of the event and of what became of it fails and is tried again', async () => {
    const world = await start();
    await world.schedule();
    world.db.failNextWrite();
    await world.advance(10_000);
    await world.ports.until(() => world.failures.length > 0);
    expect(await world.bodies()).toEqual([]);
    expect(await world.list()).toHaveLength(1);
    await world.advance(limits.delayedEventRetryMs);
    await whenGone(world);
    expect(await world.bodies()).toEqual(['later']);
    await world.restart();
    await world.advance(3_600_000);
    expect(await world.bodies()).toEqual(['later']);
  });

  it('are sent once, when somebody sends them at the moment at which they are due', async () => {
    const world = await start();
    const delayId = await world.schedule();
    await Promise.all([
      world.advance(10_000),
      world.delayed.manage(world.alice, delayId, 'send'),
      world.delayed.manage(undefined, delayId, 'send'),
    ]);
    await whenGone(world);
    expect(await world.bodies()).toEqual(['later']);
  });

  it('are refused when they are due as if they were sent then, and it is known why', async () => {
    const world = await start();
    const { test, alice, bob, roomId, refused, delayed } = world;
    const delayId = await world.schedule({}, bob);
    const state = await world.schedule({ type: 'm.room.topic', stateKey: '', content: { topic: 'x' } }, bob);
    await test.rooms.leaveRoom(bob, { roomId });
    await expect(delayed.manage(bob, delayId, 'send')).rejects.toMatchObject({ errcode: 'M_FORBIDDEN' });
    expect(await world.list(bob)).toHaveLength(2);
    const ofAlice = await world.schedule();
    refused.set(alice.userNid, suspended);
    await expect(delayed.manage(alice, ofAlice, 'send')).rejects.toBe(suspended);
    await world.advance(10_000);
    await whenGone(world);
    while ((await world.list(bob)).length > 0) await world.advance(0);
    expect(await world.bodies()).toEqual([]);
    for (const id of [delayId, state])
      expect(await delayed.get(bob, id)).toMatchObject({
        error: { errcode: 'M_FORBIDDEN' },
        finalised_ts: expect.any(Number) as number,
      });
    expect(await delayed.get(alice, ofAlice)).toMatchObject({ error: suspended.body() });
    expect(await delayed.get(alice, ofAlice)).not.toHaveProperty('event_id');
    await delayed.manage(bob, delayId, 'cancel');
    await expect(delayed.manage(bob, delayId, 'send')).rejects.toMatchObject(conflict);
  });

  it('are not sent over what somebody else has set meanwhile', async () => {
    const world = await start();
    const { test, alice, bob, roomId, delayed } = world;
    await test.setState(alice, roomId, 'm.room.power_levels', {
      users: {},
      events: { 'org.example.state': 0, 'm.room.power_levels': 100 },
    });
    const at = (stateKey: string) => ({ type: 'org.example.state', stateKey, content: { by: 'timer' } });
    const [overtaken, other, own] = [
      await world.schedule(at('a'), bob),
      await world.schedule(at('b'), bob),
      await world.schedule(at('a'), alice),
    ];
    await world.restart();
    await world.test.setState(alice, roomId, 'org.example.state', { by: 'alice' }, 'a');
    while ((await world.list(bob)).length > 1) await world.advance(0);
    expect(await world.delayed.get(bob, overtaken)).toMatchObject({ error: { errcode: 'M_UNKNOWN' } });
    expect((await world.list(bob)).map((item) => item['delay_id'])).toEqual([other]);
    await world.advance(10_000);
    await whenGone(world);
    while ((await world.list(bob)).length > 0) await world.advance(0);
    expect(await world.stateOf('org.example.state', 'a')).toEqual({ by: 'timer' });
    expect(await world.delayed.get(alice, own)).toHaveProperty('event_id');
    expect(await world.stateOf('org.example.state', 'b')).toEqual({ by: 'timer' });
    await delayed.close();
  });

  it('that set what is set already are sent without an event', async () => {
    const world = await start();
    const { test, alice, roomId, delayed } = world;
    const eventId = await test.setState(alice, roomId, 'm.room.topic', { topic: 'same' });
    const delayId = await world.schedule({ type: 'm.room.topic', stateKey: '', content: { topic: 'same' } });
    await delayed.manage(alice, delayId, 'send');
    expect(await delayed.get(alice, delayId)).toMatchObject({ event_id: eventId });
  });

  it('redact, invite and leave like what is sent at once', async () => {
    const world = await start();
    const { test, alice, bob, roomId } = world;
    const eventId = await test.say(alice, roomId, 'gone soon');
    await world.schedule({ type: 'm.room.redaction', content: { redacts: eventId } });
    await world.schedule({ type: 'm.room.member', stateKey: bob.userId, content: { membership: 'leave' } }, bob);
    await world.schedule({ type: 'm.room.redaction', content: { redacts: 'nonsense' } });
    await world.advance(10_000);
    await whenGone(world);
    while ((await world.list(bob)).length > 0) await world.advance(0);
    expect(await world.bodies()).toEqual([]);
    expect(await world.stateOf('m.room.member', bob.userId)).toMatchObject({ membership: 'leave' });
    const [failed] = (await world.delayed.list(alice, 'finalised')).filter((item) => item['reason'] === 'error');
    expect(failed).toMatchObject({ outcome: 'cancel', error: { errcode: 'M_BAD_JSON' } });
  });

  it('are bounded in time and number', async () => {
    const world = await start({ scheduledMax: 2 });
    await expect(world.schedule({ delayMs: 3_600_001 })).rejects.toMatchObject({
      status: 403,
      errcode: 'M_FORBIDDEN',
      extra: { 'org.matrix.msc4140.errcode': 'M_MAX_DELAY_EXCEEDED', 'org.matrix.msc4140.max_delay': 3_600_000 },
    });
    await world.schedule({ delayMs: 20_000 });
    await world.schedule({ delayMs: 3_600_000 });
    await world.advance(5_000);
    await expect(world.schedule()).rejects.toMatchObject({
      status: 429,
      errcode: 'M_LIMIT_EXCEEDED',
      extra: { retry_after_ms: 15_000 },
    });
    await world.schedule({}, world.bob);
    await world.advance(15_000);
    while ((await world.list()).length > 1) await world.advance(0);
    await world.schedule();
    const none = await start({ scheduledMax: 0 });
    await expect(none.schedule()).rejects.toMatchObject({ status: 403, errcode: 'M_FORBIDDEN' });
  });

  it('are not scheduled by strangers, nor without a place in an event', async () => {
    const world = await start();
    const carol = await world.test.user('carol');
    await expect(world.schedule({}, carol)).rejects.toMatchObject({ errcode: 'M_FORBIDDEN' });
    await expect(world.schedule({ roomId: '!unknown:test' as RoomId })).rejects.toMatchObject({
      errcode: 'M_FORBIDDEN',
    });
    await expect(world.schedule({ content: { body: 'x'.repeat(65_536) } })).rejects.toMatchObject({
      errcode: 'M_TOO_LARGE',
    });
    await expect(world.schedule({ type: 'm.room.create', stateKey: '' })).rejects.toMatchObject({
      errcode: 'M_FORBIDDEN',
    });
    expect(await world.list()).toEqual([]);
  });

  it('are scheduled once for each transaction', async () => {
    const world = await start();
    const transaction = { deviceNid: world.alice.deviceNid, path: 'send/x', txnId: '1' };
    const ids = await Promise.all([world.schedule({ transaction }), world.schedule({ transaction })]);
    expect(ids[0]).toBe(ids[1]);
    expect(await world.list()).toHaveLength(1);
    await world.delayed.manage(world.alice, ids[0], 'send');
    expect(await world.schedule({ transaction, content: {} })).toBe(ids[0]);
    expect(await world.schedule({ transaction: { ...transaction, txnId: '2' } })).not.toBe(ids[0]);
    expect(await world.schedule({ transaction: { ...transaction, deviceNid: 99 } })).not.toBe(ids[0]);
  });

  it('are named in their event for its sender alone', async () => {
    const world = await start();
    const { test, alice, bob, roomId } = world;
    const { next_batch: ofAlice } = await test.syncOnce(alice);
    const { next_batch: ofBob } = await test.syncOnce(bob);
    const delayId = await world.schedule();
    await world.delayed.manage(alice, delayId, 'send');
    const named = { 'org.matrix.msc4140.delay_id': delayId, delay_id: delayId };
    const inSync = async (user: TestUser, since?: string) =>
      (await test.syncOnce(user, since)).rooms?.join?.[roomId]?.timeline.events.at(-1)?.unsigned;
    for (const since of [ofAlice, undefined]) expect(await inSync(alice, since)).toMatchObject(named);
    for (const since of [ofBob, undefined]) expect(await inSync(bob, since)).not.toHaveProperty('delay_id');
    expect((await test.history(alice, roomId)).chunk[0]?.unsigned).toMatchObject(named);
    expect((await test.history(bob, roomId)).chunk[0]?.unsigned).not.toHaveProperty('delay_id');
    await test.say(alice, roomId, 'at once');
    expect((await test.history(alice, roomId)).chunk[0]?.unsigned).not.toHaveProperty('delay_id');
  });

  it('that were finalised are forgotten after a week', async () => {
    const world = await start();
    const delayId = await world.schedule();
    await world.delayed.manage(world.alice, delayId, 'cancel');
    await world.schedule({ delayMs: 3_600_000 });
    await world.advance(3_600_000);
    await whenGone(world);
    expect(await world.delayed.get(world.alice, delayId)).toHaveProperty('finalised_ts');
    await world.advance(limits.finalisedDelayedEventMs);
    await world.schedule({ delayMs: 1 });
    await world.advance(1);
    await whenGone(world);
    await world.delayed.close();
    await expect(world.delayed.get(world.alice, delayId)).rejects.toMatchObject(missing);
  });
});
