import { expect, it } from 'vitest';
import type { JsonObject } from '../../src/matrix/json/json-value.ts';
import { describeOnBothEngines } from '../support/databases.ts';
import { testPorts } from '../support/test-ports.ts';
import { TestRooms } from '../support/test-rooms.ts';
import { WatchedDatabase } from '../support/watched-database.ts';

describeOnBothEngines('a first sync of many rooms', (engine) => {
  it.each<[string, JsonObject]>([
    ['', {}],
    [' whose members are loaded lazily', { lazy_load_members: true }],
  ])('reads as often as one of few%s', async (_name, state) => {
    const db = new WatchedDatabase(await engine.open());
    const test = new TestRooms(db, testPorts(1));
    const [alice, carol] = [await test.user('alice'), await test.user('carol')];
    const readsOf = async (localpart: string, count: number) => {
      const user = await test.user(localpart);
      for (let i = 0; i < count; i++) {
        const roomId = await test.createRoom(alice, { name: i % 3 === 0 ? undefined : `room ${i}` });
        for (const member of [user, carol]) await test.rooms.joinRoom(member, { roomId });
        for (let said = 0; said < 4; said++) await test.say(carol, roomId, `${localpart} ${said}`);
      }
      db.reads.length = 0;
      const answer = await test.syncOnce(user, undefined, { filter: { room: { state, timeline: { limit: 3 } } } });
      const rooms = Object.values(answer.rooms?.join ?? {});
      expect(rooms).toHaveLength(count);
      for (const room of rooms) expect(room.timeline).toMatchObject({ limited: true, events: [{}, {}, {}] });
      return db.reads.length;
    };
    await readsOf('first', 1);
    const few = await readsOf('few', 3);
    expect(await readsOf('many', 13)).toBeLessThanOrEqual(few + 2);
  });
});
