import { expect, it } from 'vitest';
import { localpartOf } from '../../src/matrix/ids/user-id.ts';
import { insertAccount } from '../../src/storage/stores/account-store.ts';
import { describeOnBothEngines } from '../support/databases.ts';
import { testPorts } from '../support/test-ports.ts';
import { TestRooms } from '../support/test-rooms.ts';

describeOnBothEngines('guests in rooms that were closed to them', (engine) => {
  it('leave at the next start when a crash came before it', async () => {
    const db = await engine.open();
    const test = new TestRooms(db, testPorts());
    const [alice, bob, guest] = [await test.user('alice'), await test.user('bob'), await test.user('guest')];
    const [closed, open] = [await test.createRoom(alice), await test.createRoom(alice)];
    await test.setState(alice, open, 'm.room.guest_access', { guest_access: 'can_join' });
    for (const roomId of [closed, open])
      for (const person of [bob, guest]) await test.rooms.joinRoom(person, { roomId });
    for (const [person, kind] of [
      [bob, 'user'],
      [guest, 'guest'],
    ] as const) {
      const account = { localpart: localpartOf(person.userId), kind, userType: null, passwordHash: null };
      await db.write((unit) => unit.run(insertAccount, { user: person.userNid, ...account, admin: 0, createdTs: 0 }))
        .committed;
    }
    await test.rooms.guestDepartures.resume();
    expect(await test.rooms.joinedRooms(guest)).toEqual([open]);
    expect(new Set(await test.rooms.joinedRooms(bob))).toEqual(new Set([closed, open]));
  });
});
