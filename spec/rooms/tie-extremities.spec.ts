import { expect, it, vi } from 'vitest';
import { authTypesForEvent } from '../../src/matrix/event-auth/auth-types.ts';
import { signingKeyFromSeed } from '../../src/matrix/crypto/ed25519.ts';
import type { EventId, RoomId, ServerName, UserId } from '../../src/matrix/ids/ids.ts';
import { type EventDraft, buildEvent } from '../../src/rooms/build-event.ts';
import { verifyRoom } from '../../src/rooms/dag/verify-room.ts';
import { prepareEffects } from '../../src/rooms/event-effects.ts';
import { extremitiesOf } from '../../src/storage/stores/room-graph-store.ts';
import { describeOnBothEngines } from '../support/databases.ts';
import { testPorts } from '../support/test-ports.ts';
import { TestRooms } from '../support/test-rooms.ts';

const far = { serverName: 'far' as ServerName, key: signingKeyFromSeed('ed25519:far', Buffer.alloc(32, 9)) };
const eve = '@eve:far' as UserId;

describeOnBothEngines('forward extremities', (engine) => {
  const start = async () => {
    const db = await engine.open();
    const test = new TestRooms(db, testPorts(1));
    const [alice, bob] = [await test.user('alice'), await test.user('bob')];
    const roomId = await test.createRoom(alice);
    await test.rooms.joinRoom(bob, { roomId });
    const { ctx } = test;
    /** As federation does with an event of another server; `prevEvents` of its own choice. */
    const receive = (draft: EventDraft, depth: number, prevEvents?: readonly EventId[]) =>
      ctx.locks.run(roomId, async () => {
        const dag = await ctx.dags.open(roomId);
        const tuples = authTypesForEvent({ ...draft, stateKey: draft.stateKey }, dag.rules);
        const state = await dag.currentEvents(tuples);
        const auth = tuples.flatMap(([type, key]) => state(type, key) ?? []).map(({ eventId }) => ({ eventId }));
        const prev = prevEvents ?? dag.frontier().prevEvents.map(({ eventId }) => eventId);
        const place = {
          roomId,
          rules: dag.rules,
          prevEvents: prev.map((eventId) => ({ eventId })),
          authEvents: auth,
          depth,
          originServerTs: 1,
        };
        const built = buildEvent(draft, place, [far], () => '');
        const effects = await prepareEffects(ctx, dag, built.event, {});
        const placed = await dag.receive(built.event, built.body, effects.options);
        expect(placed.verdict).toEqual({ ok: true });
        await placed.ticket?.committed;
        return built.event.eventId;
      });
    const extremities = async (room: RoomId = roomId) =>
      (await ctx.db.all(extremitiesOf, { room: (await ctx.dags.open(room)).room })).length;
    const join: EventDraft = { type: 'm.room.member', stateKey: eve, sender: eve, content: { membership: 'join' } };
    const base = await receive(join, 20);
    const fork = (i: number): Promise<EventId> =>
      receive({ type: 'm.room.message', sender: eve, content: { msgtype: 'm.text', body: `${i}` } }, 21, [base]);
    return { db, test, alice, bob, roomId, fork, extremities };
  };

  it('stay few in a room where nobody here speaks', async () => {
    const { db, test, bob, roomId, fork, extremities } = await start();
    const { next_batch: since } = await test.syncOnce(bob);
    for (let i = 0; i < 60; i++) {
      await fork(i);
      expect(await extremities()).toBeLessThanOrEqual(20);
    }
    await vi.waitUntil(async () => (await extremities()) <= 10, { timeout: 10_000 });
    expect(await verifyRoom(db, roomId)).toMatchObject({ problems: [] });
    const { chunk } = await test.history(bob, roomId);
    const ties = chunk.filter((event) => event.type === 'org.matrix.dummy_event');
    expect(ties.length).toBeGreaterThan(3);
    // it is no news to anybody, and not that anybody has read something
    const { rooms } = await test.syncOnce(bob, since);
    expect(rooms?.join?.[roomId]?.unread_notifications.notification_count).toBe(60);
  });

  it('are tied together, at most 20 at a time, by whoever speaks', async () => {
    const { test, alice, bob, roomId, fork, extremities } = await start();
    // nobody may send anything but messages of the highest, who have left
    await test.setState(alice, roomId, 'm.room.power_levels', { events: { 'org.matrix.dummy_event': 100 } });
    await test.rooms.leaveRoom(alice, { roomId });
    for (let i = 0; i < 50; i++) await fork(i);
    expect(await extremities()).toBe(51);
    for (const left of [32, 13, 1]) {
      const eventId = await test.say(bob, roomId, `${left}`);
      const { prevEvents } = await test.storedEvent(eventId);
      expect(prevEvents.length).toBeLessThanOrEqual(20);
      expect(await extremities()).toBe(left);
    }
  });
});
