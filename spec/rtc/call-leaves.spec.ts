import { expect, it } from 'vitest';
import { CallLeaves } from '../../src/rtc/call-leaves.ts';
import { LivekitFailed } from '../../src/rtc/livekit-api.ts';
import { DelayedEvents } from '../../src/rooms/delayed-events/delayed-events.ts';
import { callLeaves } from '../../src/storage/stores/call-leave-store.ts';
import { onSqlite } from '../support/databases.ts';
import { testPorts } from '../support/test-ports.ts';
import { TestRooms } from '../support/test-rooms.ts';

const delayMs = 100_000;

// Time runs here as fast as the test wants, so that a database in another process would not keep up.
onSqlite('the end of calls of those who are gone', (engine) => {
  const start = async () => {
    const db = await engine.open();
    const ports = testPorts(1);
    const { clock, timers } = ports;
    const test = new TestRooms(db, ports);
    const alice = await test.user('alice');
    const roomId = await test.createRoom(alice);
    const failures: unknown[] = [];
    const onFailed = (error: unknown) => void failures.push(error);
    const events = new DelayedEvents(test.ctx, {
      timers,
      delayMsMax: 3_600_000,
      scheduledMax: 10,
      senders: { assertMaySend: async () => undefined },
      onFailed,
    });
    await events.start();
    /** What LiveKit says; undefined: it does not answer. */
    const livekit: { isThere: boolean | undefined; asked: number } = { isThere: true, asked: 0 };
    const api = {
      async hasParticipant(): Promise<boolean> {
        livekit.asked += 1;
        if (livekit.isThere === undefined) throw new LivekitFailed('down');
        return livekit.isThere;
      },
    };
    const begin = async (): Promise<CallLeaves> => {
      const begun = new CallLeaves({ db, events, api, clock, timers, onFailed });
      await begun.start();
      return begun;
    };
    let leaves = await begin();
    const schedule = () =>
      events.schedule(alice, {
        roomId,
        type: 'org.matrix.msc3401.call.member',
        stateKey: '_alice_DEVICE',
        content: {},
        delayMs,
        stickyMs: undefined,
        transaction: undefined,
      });
    const lookAfter = (delayId: string, user = alice.userNid) =>
      leaves.lookAfter({ livekit_room: 'room', identity: 'alice', delay_id: delayId, user_nid: user });
    const advance = async (ms: number): Promise<void> => {
      // In steps, because databases answer when they like.
      for (let left = ms; left >= 0; left -= 1_000) {
        await ports.advance(Math.min(left, 1_000));
        await db.drained();
        await ports.settle();
      }
    };
    return {
      db,
      events,
      alice,
      livekit,
      failures,
      schedule,
      lookAfter,
      advance,
      get leaves() {
        return leaves;
      },
      async restart(): Promise<void> {
        leaves.close();
        leaves = await begin();
      },
      isSent: async (delayId: string) => (await events.get(alice, delayId))['event_id'] !== undefined,
      rows: () => db.all(callLeaves, {}),
    };
  };

  it('is put off as long as LiveKit has them, and comes when it has not', async () => {
    const world = await start();
    const delayId = await world.schedule();
    await world.lookAfter(delayId);
    await world.advance(3 * delayMs);
    expect(await world.isSent(delayId)).toBe(false);
    expect(world.livekit.asked).toBeLessThan(10);
    world.livekit.isThere = false;
    await world.advance(delayMs);
    expect(await world.isSent(delayId)).toBe(true);
    expect(await world.rows()).toEqual([]);
  });

  it('comes at once when LiveKit says that they left', async () => {
    const world = await start();
    const delayId = await world.schedule();
    await world.lookAfter(delayId);
    await world.leaves.joined('room', 'alice');
    await world.leaves.left('room', 'bob');
    await world.leaves.left('other', 'alice');
    expect(await world.isSent(delayId)).toBe(false);
    await world.leaves.left('room', 'alice');
    expect(await world.isSent(delayId)).toBe(true);
    await world.leaves.left('room', 'alice');
    expect(await world.rows()).toEqual([]);
  });

  it('comes by itself when they never arrive, or LiveKit does not answer', async () => {
    for (const isThere of [false, undefined]) {
      const world = await start();
      world.livekit.isThere = isThere;
      const delayId = await world.schedule();
      await world.lookAfter(delayId);
      await world.advance(delayMs - 1_000);
      expect(await world.isSent(delayId)).toBe(false);
      await world.advance(2_000);
      expect(await world.isSent(delayId)).toBe(true);
      await world.advance(2 * delayMs);
      expect(await world.rows()).toEqual([]);
    }
  });

  it('outlasts a silence of LiveKit that is short', async () => {
    const world = await start();
    const delayId = await world.schedule();
    await world.lookAfter(delayId);
    await world.advance(2_000);
    world.livekit.isThere = undefined;
    await world.advance(85_000);
    world.livekit.isThere = true;
    await world.advance(2 * delayMs);
    expect(await world.isSent(delayId)).toBe(false);
    expect(world.failures.length).toBeGreaterThan(0);
  });

  it('goes on after a restart', async () => {
    const world = await start();
    const delayId = await world.schedule();
    await world.lookAfter(delayId);
    await world.advance(2_000);
    await world.restart();
    await world.advance(2 * delayMs);
    expect(await world.isSent(delayId)).toBe(false);
    await world.restart();
    await world.leaves.left('room', 'alice');
    expect(await world.isSent(delayId)).toBe(true);
  });

  it('is what was asked for last, and its owner may end it themselves', async () => {
    const world = await start();
    const [first, second] = [await world.schedule(), await world.schedule()];
    await world.lookAfter(first);
    await world.lookAfter(second);
    await world.advance(delayMs);
    expect([await world.isSent(first), await world.isSent(second)]).toEqual([true, false]);
    await world.events.manage(world.alice, second, 'cancel');
    await world.advance(delayMs);
    expect(await world.rows()).toEqual([]);
    await expect(world.lookAfter('unknown')).rejects.toMatchObject({ errcode: 'M_NOT_FOUND' });
    await expect(world.lookAfter(await world.schedule(), 99)).rejects.toMatchObject({ errcode: 'M_NOT_FOUND' });
  });
});
