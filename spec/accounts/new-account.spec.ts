import { expect, it } from 'vitest';
import { describeOnBothEngines } from '../support/databases.ts';
import { accountsOn } from '../support/test-accounts.ts';
import { WatchedDatabase } from '../support/watched-database.ts';

const profilePath = '/_matrix/client/v3/profile/@alice:test/displayname';
const whoamiPath = '/_matrix/client/v3/account/whoami';

describeOnBothEngines('what is known of a new account', (engine) => {
  const start = accountsOn(engine);
  const setUp = async () => {
    const db = new WatchedDatabase(await engine.open());
    const server = await start({ db });
    const alice = await server.register('alice');
    db.reads.length = 0;
    return { ...server, db, alice };
  };

  it('is its session and its name, without a read', async () => {
    const { db, alice, accounts, request } = await setUp();
    const { deviceId, token } = alice;
    const me = { user_id: '@alice:test', device_id: deviceId, is_guest: false };
    expect((await request('GET', whoamiPath, { user: alice })).json).toEqual(me);
    expect(await accounts.memberProfile(alice.userId)).toEqual({ displayname: 'alice' });
    expect(db.reads).toEqual([]);
    const known = await accounts.accessTokens.authenticate(token, { allowLocked: false, client });
    await request('POST', '/_matrix/client/v3/logout', { user: alice, body: {} });
    expect(accounts.accessTokens.isCurrent(known)).toBe(false);
    expect((await request('GET', whoamiPath, { user: alice })).status).toBe(401);
  });

  it('is what would be read of it', async () => {
    const { db, ports, alice, accounts, registerAdministrator } = await setUp();
    const admin = await registerAdministrator('admin');
    const restarted = await start({ db });
    expect(restarted.ports).not.toBe(ports);
    for (const { token, userId } of [alice, admin]) {
      const [made, read] = await Promise.all(
        [accounts, restarted.accounts].map((one) =>
          one.accessTokens.authenticate(token, { allowLocked: false, client }),
        ),
      );
      expect(made).toEqual(read);
      expect(await accounts.memberProfile(userId)).toEqual(await restarted.accounts.memberProfile(userId));
    }
  });

  it('changes with what it is made of', async () => {
    const { db, alice, accounts, request, registerAdministrator } = await setUp();
    await request('PUT', profilePath, { user: alice, body: { displayname: 'Alice Margatroid' } });
    db.reads.length = 0;
    expect(await accounts.memberProfile(alice.userId)).toEqual({ displayname: 'Alice Margatroid' });
    expect(db.reads).toEqual([]);
    await registerAdministrator('admin');
    await accounts.putAccount({ userNid: -1 }, alice.userId, { isDeactivated: true });
    expect((await request('GET', whoamiPath, { user: alice })).status).toBe(401);
  });
});

const client = { address: '192.0.2.1', userAgent: undefined };
