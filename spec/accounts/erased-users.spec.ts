import { expect, it } from 'vitest';
import type { UserId } from '../../src/matrix/ids/ids.ts';
import { describeOnBothEngines } from '../support/databases.ts';
import { accountsOn, passwordAuth, passwordOfTests } from '../support/test-accounts.ts';

const path = '/_matrix/client/v3/account/deactivate';
const [alice, bob] = ['@alice:test', '@bob:test'] as [UserId, UserId];

describeOnBothEngines('erased users', (engine) => {
  const start = accountsOn(engine);

  it('are known from the moment on and after a restart, until an administrator brings them back', async () => {
    const server = await start();
    const { request, register, db, accounts } = server;
    const admin = await server.registerAdministrator('admin');
    const erase = { erase: true, auth: passwordAuth('alice') };
    const users = [await register('alice'), await register('bob')] as const;
    const before = db.committedPos();
    expect((await request('POST', path, { user: users[0], body: erase })).status).toBe(200);
    expect((await request('POST', path, { user: users[1], body: { auth: passwordAuth('bob') } })).status).toBe(200);
    const since = accounts.erasedUsers.erasedSince(alice);
    expect(since).toBeGreaterThan(before);
    expect(since).toBeLessThanOrEqual(db.committedPos());
    expect(accounts.erasedUsers.erasedSince(bob)).toBeUndefined();

    const { erasedUsers } = (await start({ db })).accounts;
    await erasedUsers.load();
    expect([erasedUsers.erasedSince(alice), erasedUsers.erasedSince(bob)]).toEqual([since, undefined]);

    const body = { deactivated: false, password: passwordOfTests };
    expect((await request('PUT', `/_synapse/admin/v2/users/${alice}`, { user: admin, body })).status).toBe(200);
    expect(accounts.erasedUsers.erasedSince(alice)).toBeUndefined();
    expect(erasedUsers.erasedSince(alice)).toBeUndefined();
  });
});
