import { expect, it } from 'vitest';
import { describeOnBothEngines } from '../support/databases.ts';
import { testPorts } from '../support/test-ports.ts';
import { type ClientEvent, type SyncTestOptions, TestRooms } from '../support/test-rooms.ts';

describeOnBothEngines('sync across a purge', (engine) => {
  const start = async () => {
    const test = new TestRooms(await engine.open(), testPorts(1));
    const [alice, bob] = [await test.user('alice'), await test.user('bob')];
    const roomId = await test.createRoom(alice, { name: 'Room' });
    await test.rooms.joinRoom(bob, { roomId });
    const { next_batch: since } = await test.syncOnce(bob);
    await test.setState(alice, roomId, 'm.room.topic', { topic: 'forgotten' });
    await test.setState(alice, roomId, 'org.example', { name: 'kept' });
    await test.say(alice, roomId, 'forgotten');
    await test.setState(alice, roomId, 'm.room.topic', { topic: 'kept' });
    const first = await test.say(alice, roomId, 'first');
    const { next_batch: between } = await test.syncOnce(bob);
    await test.setState(alice, roomId, 'm.room.topic', { topic: 'last' });
    await test.say(alice, roomId, 'second');
    const { next_batch: before } = await test.syncOnce(bob);
    await test.rooms.purgeHistory(roomId, first);
    return { test, alice, bob, roomId, since, between, before };
  };
  const told = (events: readonly ClientEvent[] = []) =>
    events.map(({ content }) => content['topic'] ?? content['name'] ?? content['body']);

  it('tells all that stays and all of the state, and that there was more', async () => {
    const { test, bob, roomId, since } = await start();
    for (const one of [test, test.restarted()]) {
      const ask = async (options: SyncTestOptions = {}) =>
        (await one.syncOnce(bob, since, options)).rooms?.join?.[roomId];
      const room = await ask();
      expect(told(room?.timeline.events)).toEqual(['first', 'last', 'second']);
      expect(room?.timeline.limited).toBe(true);
      const state = room?.state.events.filter((event) => event.type === 'm.room.topic' || event.type === 'org.example');
      expect(new Set(told(state))).toEqual(new Set(['kept']));
      expect(state).toHaveLength(2);
      const after = (await ask({ stateField: 'state_after' }))?.state_after?.events ?? [];
      expect(told(after)).toEqual(expect.arrayContaining(['last', 'kept']));
      expect(told(after)).not.toContain('forgotten');
      const gap = await one.history(bob, roomId, { from: room?.timeline.prev_batch ?? '', to: since });
      expect(gap.chunk).toEqual([]);
    }
  });

  it('changes nothing for those who have been told of what is gone', async () => {
    const { test, alice, bob, roomId, between, before } = await start();
    for (const one of [test, test.restarted()]) {
      const room = (await one.syncOnce(bob, between)).rooms?.join?.[roomId];
      expect(told(room?.timeline.events)).toEqual(['last', 'second']);
      expect(room?.timeline.limited).toBe(false);
      expect(room?.state.events).toEqual([]);
      expect((await one.syncOnce(bob, before)).rooms).toBeUndefined();
    }
    const last = test.restarted();
    const waiting = last.syncWaiting(bob, before);
    await last.say(alice, roomId, 'third');
    const room = (await waiting).rooms?.join?.[roomId];
    expect([told(room?.timeline.events), room?.timeline.limited]).toEqual([['third'], false]);
  });
});
