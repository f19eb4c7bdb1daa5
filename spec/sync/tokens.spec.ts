import { expect, it } from 'vitest';
import { describeOnBothEngines } from '../support/databases.ts';
import { testPorts } from '../support/test-ports.ts';
import { type SyncAnswer, TestRooms, nothingNew, timersOfRooms } from '../support/test-rooms.ts';

describeOnBothEngines('sync tokens', (engine) => {
  const start = async () => {
    let db = await engine.open({ reopenable: true });
    const ports = testPorts(1);
    const test = new TestRooms(db, ports);
    const [alice, bob] = [await test.user('alice'), await test.user('bob')];
    const rooms = [await test.createRoom(alice), await test.createRoom(alice)] as const;
    for (const roomId of rooms) await test.rooms.joinRoom(bob, { roomId });
    const restarted = async () => {
      db = await engine.reopen(db);
      return new TestRooms(db, ports);
    };
    return { ports, test, alice, bob, rooms, restarted };
  };
  const bodies = (answer: SyncAnswer, roomId: string) =>
    answer.rooms?.join?.[roomId]?.timeline.events.map((event) => event.content['body']);

  it('survive a restart, and nothing is told of rooms where nothing happened', async () => {
    const { ports, test, alice, bob, rooms, restarted } = await start();
    const { next_batch: since } = await test.syncOnce(bob);
    await test.say(alice, rooms[0], 'before the restart');
    await test.rooms.setTyping(alice, rooms[0], 10_000);
    const after = await restarted();
    const answer = await after.syncOnce(bob, since);
    // Whoever typed does so no longer: nobody remembers.
    expect(answer.rooms?.join?.[rooms[0]]?.ephemeral.events).toEqual([{ type: 'm.typing', content: { user_ids: [] } }]);
    expect(Object.keys(answer.rooms?.join ?? {})).toEqual([rooms[0]]);
    expect(bodies(answer, rooms[0])).toEqual(['before the restart']);
    // With the token of before the restart: it waits, it does not come back empty.
    const again = await restarted();
    const quiet = await again.syncOnce(bob, answer.next_batch);
    expect(quiet.rooms).toBeUndefined();
    const waiting = again.syncWaiting(bob, answer.next_batch);
    await ports.settle();
    await again.say(alice, rooms[1], 'after it');
    expect(bodies(await waiting, rooms[1])).toEqual(['after it']);
  });

  it('give the same again when a request is repeated, whatever came since', async () => {
    const { test, alice, bob, rooms } = await start();
    const { next_batch: since } = await test.syncOnce(bob);
    await test.say(alice, rooms[0], 'one');
    expect(bodies(await test.syncOnce(bob, since), rooms[0])).toEqual(['one']);
    await test.say(alice, rooms[0], 'two');
    expect(bodies(await test.syncOnce(bob, since), rooms[0])).toEqual(['one', 'two']);
  });

  it('from the future are those of another database: everything is told', async () => {
    const { test, bob, rooms } = await start();
    const answer = await test.syncOnce(bob, 's900719925474099');
    expect(Object.keys(answer.rooms?.join ?? {}).toSorted()).toEqual([...rooms].toSorted());
    expect(answer.rooms?.join?.[rooms[0]]?.timeline.events.map((event) => event.type)).toContain('m.room.create');
    const { next_batch: now } = await test.syncOnce(bob);
    expect(answer.next_batch).toBe(now);
  });

  it('with full_state bring the whole state at once, also when there is nothing', async () => {
    const { ports, test, bob, rooms } = await start();
    const { next_batch: since } = await test.syncOnce(bob);
    const answer = await test.syncOnce(bob, since, { fullState: true, timeoutMs: 30_000 });
    expect(Object.keys(answer.rooms?.join ?? {}).toSorted()).toEqual([...rooms].toSorted());
    for (const roomId of rooms) {
      const room = answer.rooms?.join?.[roomId];
      expect(room?.timeline).toMatchObject({ events: [], limited: false });
      expect(room?.state.events.map((event) => event.type)).toEqual(
        expect.arrayContaining(['m.room.create', 'm.room.member', 'm.room.power_levels']),
      );
    }
    const stranger = await test.user('stranger');
    const { next_batch } = await test.syncOnce(stranger);
    expect(await test.syncOnce(stranger, next_batch, { fullState: true, timeoutMs: 30_000 })).toEqual({
      ...nothingNew,
      next_batch,
    });
    expect(ports.timerCount).toBe(timersOfRooms);
  });

  it('of pages lead to the events around them', async () => {
    const { test, alice, bob, rooms } = await start();
    const [roomId] = rooms;
    const { next_batch: since } = await test.syncOnce(bob);
    for (let i = 0; i < 15; i++) await test.say(alice, roomId, `m${i}`);
    const answer = await test.syncOnce(bob, since);
    const gap = await test.history(bob, roomId, {
      from: answer.rooms?.join?.[roomId]?.timeline.prev_batch,
      to: since,
    });
    expect(gap.chunk.map((event) => event.content['body'])).toEqual(['m4', 'm3', 'm2', 'm1', 'm0']);
    expect(gap.end).toBeUndefined();
    const forwards = await test.history(bob, roomId, { dir: 'f', from: since, limit: 3 });
    expect(forwards.chunk.map((event) => event.content['body'])).toEqual(['m0', 'm1', 'm2']);
    const next = await test.history(bob, roomId, { dir: 'f', from: forwards.end });
    expect(next.chunk.map((event) => event.content['body'])).toEqual(Array.from({ length: 12 }, (_, i) => `m${i + 3}`));
    expect(next.end).toBeUndefined();
    for (const page of [{ from: 'x1' }, { from: 's1.5' }, { to: 't' }, { from: 's-3' }, { from: `s${'9'.repeat(17)}` }])
      await expect(test.history(bob, roomId, page)).rejects.toMatchObject({ status: 400, errcode: 'M_INVALID_PARAM' });
    for (const token of ['s9007199254740991', 't9007199254740991', 't-9007199254740991'])
      for (const dir of ['b', 'f'] as const) {
        await test.history(bob, roomId, { dir, from: token });
        await test.history(bob, roomId, { dir, to: token });
      }
  });
});
