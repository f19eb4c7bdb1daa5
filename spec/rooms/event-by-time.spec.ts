import { expect, it } from 'vitest';
import type { EventId } from '../../src/matrix/ids/ids.ts';
import { type TestEngine, describeOnBothEngines, onSqlite } from '../support/databases.ts';
import { testPorts } from '../support/test-ports.ts';
import { TestRooms, type TestUser } from '../support/test-rooms.ts';

const starting = (engine: TestEngine) => async () => {
  const test = new TestRooms(await engine.open(), testPorts(1));
  const [alice, bob] = [await test.user('alice'), await test.user('bob')];
  const roomId = await test.createRoom(alice);
  const sayAt = (originServerTs: number): Promise<EventId> =>
    test.rooms.sendMessage(alice, { roomId, type: 'm.room.message', content: { body: 'hello' }, originServerTs });
  const find = async (by: TestUser, ts: number, dir: 'f' | 'b') =>
    (await test.rooms.eventByTime(by, roomId, { ts, dir }))['event_id'];
  return { test, alice, bob, roomId, sayAt, find };
};
const far = 9_000_000_000_000;

describeOnBothEngines('the event closest to a time', (engine) => {
  const start = starting(engine);
  const nothing = { status: 404, errcode: 'M_NOT_FOUND' };

  it('is found in both directions, whatever order the times are in', async () => {
    const { alice, sayAt, find } = await start();
    const [late, early, middle] = [await sayAt(far + 300), await sayAt(far + 100), await sayAt(far + 200)];
    expect(await find(alice, far + 150, 'f')).toBe(middle);
    expect(await find(alice, far + 150, 'b')).toBe(early);
    expect(await find(alice, far + 200, 'f')).toBe(middle);
    expect(await find(alice, far + 200, 'b')).toBe(middle);
    expect(await find(alice, far + 201, 'f')).toBe(late);
    await expect(find(alice, far + 301, 'f')).rejects.toMatchObject(nothing);
    expect(await find(alice, far + 301, 'b')).toBe(late);
    await expect(find(alice, 0, 'b')).rejects.toMatchObject(nothing);
    await expect(find(alice, -1, 'b')).rejects.toMatchObject(nothing);
  });

  it('is the first on the way of several of one time', async () => {
    const { alice, sayAt, find } = await start();
    const same = [await sayAt(far), await sayAt(far), await sayAt(far)];
    expect(await find(alice, far, 'f')).toBe(same[0]);
    expect(await find(alice, far, 'b')).toBe(same[2]);
  });

  it('is one that the asker may see', async () => {
    const { test, alice, bob, roomId, sayAt, find } = await start();
    await test.setState(alice, roomId, 'm.room.history_visibility', { history_visibility: 'joined' });
    const hidden = [await sayAt(far + 1), await sayAt(far + 2)];
    await expect(find(bob, far, 'f')).rejects.toMatchObject({ status: 403, errcode: 'M_FORBIDDEN' });
    await test.rooms.joinRoom(bob, { roomId });
    const seen = await sayAt(far + 3);
    await test.rooms.leaveRoom(bob, { roomId });
    await sayAt(far + 4);
    expect(await find(alice, far, 'f')).toBe(hidden[0]);
    expect(await find(bob, far, 'f')).toBe(seen);
    expect(await find(bob, far + 9, 'b')).toBe(seen);
    await expect(find(bob, far + 4, 'f')).rejects.toMatchObject(nothing);
  });
});

onSqlite('the event closest to a time, in a large room', (engine) => {
  const start = starting(engine);

  it('is found beyond a long stretch that is hidden, in a bounded number of steps', async () => {
    const { test, alice, bob, roomId, find, sayAt } = await start();
    await test.setState(alice, roomId, 'm.room.history_visibility', { history_visibility: 'joined' });
    for (let i = 0; i < 52; i++) await Promise.all(Array.from({ length: 100 }, (_, j) => sayAt(far + i * 100 + j)));
    await test.rooms.joinRoom(bob, { roomId });
    const seen = await sayAt(far + 100_000);
    expect(await find(bob, far, 'f')).toBe(seen);
    await test.rooms.leaveRoom(bob, { roomId });
    for (let i = 0; i < 52; i++)
      await Promise.all(Array.from({ length: 100 }, (_, j) => sayAt(far + 200_000 + i * 100 + j)));
    expect(await find(bob, far + 300_000, 'b')).toBe(seen);
  }, 120_000);
});
