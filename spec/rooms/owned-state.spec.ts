import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ownerOfState } from '../../src/matrix/event-auth/owned-state.ts';
import type { RoomVersionId } from '../../src/matrix/room-versions/rules.ts';
import { describeOnBothEngines } from '../support/databases.ts';
import { testPorts } from '../support/test-ports.ts';
import { TestRooms, type TestUser } from '../support/test-rooms.ts';

describe('whose state it is', () => {
  it('is the user before the first underscore behind the colon', () => {
    const cases: [string, string | undefined][] = [
      ['@a:b', '@a:b'],
      ['@a:b_', '@a:b'],
      ['@a_b:example.org_device_2', '@a_b:example.org'],
      ['@a:[2001:db8::1]:8448_x', '@a:[2001:db8::1]:8448'],
      ['@a:b.evil.com_x', '@a:b.evil.com'],
      ['@oops', undefined],
      ['@oops_x', undefined],
      ['@a:b@x', undefined],
      ['@prefix_@a:b_x', '@prefix_@a:b'],
    ];
    for (const [stateKey, owner] of cases) expect(ownerOfState(stateKey), stateKey).toBe(owner);
    fc.assert(fc.property(fc.string(), (suffix) => ownerOfState(`@a:b.c_${suffix}`) === '@a:b.c'));
  });
});

describeOnBothEngines('state that belongs to users (MSC3757)', (engine) => {
  const start = async (roomVersion: RoomVersionId) => {
    const test = new TestRooms(await engine.open(), testPorts(1));
    const [alice, bob, carol] = [await test.user('alice'), await test.user('bob'), await test.user('carol')];
    const powerLevelContentOverride = { events: { 'org.example.state': 0 } };
    const roomId = await test.createRoom(alice, { roomVersion, powerLevelContentOverride });
    for (const user of [bob, carol]) await test.rooms.joinRoom(user, { roomId });
    const set = (user: TestUser, stateKey: string) =>
      test.setState(user, roomId, 'org.example.state', { by: user.userId, at: stateKey }, stateKey);
    return { alice, bob, carol, set };
  };
  const forbidden = { status: 403, errcode: 'M_FORBIDDEN' };

  it('is set by its owner and by who has more power', async () => {
    const { alice, bob, carol, set } = await start('org.matrix.msc3757.10');
    await set(bob, bob.userId);
    await set(bob, `${bob.userId}_device`);
    await set(bob, 'anything');
    for (const key of [bob.userId, `${bob.userId}_device`, '@elsewhere:other.test', '@elsewhere:other.test_x'])
      await set(alice, key);
    for (const key of [carol.userId, `${carol.userId}_device`, alice.userId, `${bob.userId}state`])
      await expect(set(bob, key), key).rejects.toMatchObject(forbidden);
    for (const key of ['@oops', `${alice.userId}@x`])
      await expect(set(alice, key), key).rejects.toMatchObject({ status: 400, errcode: 'M_BAD_JSON' });
  });

  it('is of no consequence in other versions', async () => {
    const { alice, bob, set } = await start('10');
    await set(bob, bob.userId);
    for (const key of [bob.userId, `${bob.userId}_device`, `${alice.userId}_device`, '@oops'])
      await expect(set(alice, key), key).rejects.toMatchObject(forbidden);
  });
});
