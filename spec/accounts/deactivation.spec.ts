import { expect, it } from 'vitest';
import { Names } from '../../src/storage/names.ts';
import { deactivateAccount } from '../../src/storage/stores/account-store.ts';
import { upsertUserRoom } from '../../src/storage/stores/membership-store.ts';
import { describeOnBothEngines } from '../support/databases.ts';
import { accountsOn } from '../support/test-accounts.ts';

describeOnBothEngines('a deactivation that a crash interrupted', (engine) => {
  const start = accountsOn(engine);

  it('is finished by the next start, and only that', async () => {
    const { accounts, db, register, departed } = await start();
    const names = new Names(db);
    const standing = { event: 1, pos: 1, readOrd: 0, notifyRead: 0 };
    const users = { joined: 'join', invited: 'invite', gone: 'leave', active: 'join' } as const;
    for (const [name, membership] of Object.entries(users)) {
      const { userId } = await register(name);
      const user = await names.userNid(userId);
      await db.write((unit) => {
        unit.run(upsertUserRoom, { user, room: 7, membership, ...standing });
        if (name !== 'active') unit.run(deactivateAccount, { user, ts: 5, erased: name === 'invited' ? 3 : 0 });
      }).committed;
    }
    await accounts.resumeDeactivations();
    expect(departed).toEqual(['@joined:test', '@invited:test']);
  });

  it('never takes an erasure back', async () => {
    const { accounts, db, register } = await start();
    const { userId } = await register('alice');
    const user = await new Names(db).userNid(userId);
    for (const erased of [7, 0, 9])
      await db.write((unit) => unit.run(deactivateAccount, { user, ts: 5 + erased, erased })).committed;
    expect(await accounts.readAccount(userId)).toMatchObject({ isDeactivated: true, isErased: true });
  });
});
