import { expect, it } from 'vitest';
import { findTransaction } from '../../src/storage/stores/txn-store.ts';
import { describeOnBothEngines } from '../support/databases.ts';
import { testPorts } from '../support/test-ports.ts';
import { TestRooms } from '../support/test-rooms.ts';

describeOnBothEngines('client transactions', (engine) => {
  it('are forgotten after a day and not before', async () => {
    const ports = testPorts(1);
    const test = new TestRooms(await engine.open(), ports);
    const alice = await test.user('alice');
    const roomId = await test.createRoom(alice);
    await test.say(alice, roomId, 'old', {}, 'old');
    await ports.advance(12 * 60 * 60 * 1_000);
    await test.say(alice, roomId, 'young', {}, 'young');
    await ports.advance(13 * 60 * 60 * 1_000);
    await test.ctx.db.drained();
    const stored = (txn: string) =>
      test.ctx.db.one(findTransaction, { device: alice.deviceNid, path: `send/${roomId}`, txn });
    expect(await stored('old')).toBeUndefined();
    expect(await stored('young')).toBeDefined();
    test.rooms.close();
  });
});
