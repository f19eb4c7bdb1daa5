import { expect, it } from 'vitest';
import type { Requester } from '../../src/accounts/requester.ts';
import { describeOnBothEngines } from '../support/databases.ts';
import { accountsOn, passwordOfTests } from '../support/test-accounts.ts';

const client = { address: '192.0.2.1', userAgent: 'browser' };
const forbidden = { status: 403, errcode: 'M_FORBIDDEN' };

describeOnBothEngines('the first administrator', (engine) => {
  const start = accountsOn(engine);

  it('is made once, by the token of the last start', async () => {
    const { accounts, db } = await start();
    const { startPage } = accounts;
    expect(await startPage.firstAdministratorDue()).toBe(true);
    const old = (await accounts.mintFirstAdministratorToken()) ?? '';
    const token = (await accounts.mintFirstAdministratorToken()) ?? '';
    expect(token).toMatch(/^vcs_/);
    const facts = await db.dynamic((q) => q.selectFrom('server_fact').selectAll());
    expect(JSON.stringify(facts)).not.toContain(token);

    const make = (given: string, name = 'Admin') =>
      startPage.createFirstAdministrator(given, name, passwordOfTests, client);
    for (const wrong of [old, '', 'garbage']) await expect(make(wrong)).rejects.toMatchObject(forbidden);
    // What is wrong with the account leaves the link good.
    await expect(make(token, 'with space')).rejects.toMatchObject({ errcode: 'M_INVALID_USERNAME' });
    await expect(startPage.createFirstAdministrator(token, 'admin', 'weak', client)).rejects.toMatchObject({
      errcode: 'M_WEAK_PASSWORD',
    });
    const outcomes = await Promise.allSettled([make(token, 'one'), make(token, 'two'), make(token, 'three')]);
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const outcome of outcomes) if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject(forbidden);
    expect(await startPage.firstAdministratorDue()).toBe(false);
    expect(await accounts.mintFirstAdministratorToken()).toBeUndefined();
    expect(await db.dynamic((q) => q.selectFrom('account').select('admin'))).toEqual([{ admin: 1 }]);
  });

  it('is no longer needed when an administrator came another way, and again when none is left', async () => {
    const { accounts, register, request } = await start();
    const token = (await accounts.mintFirstAdministratorToken()) ?? '';
    const alice = await register('alice');
    const admin = { userNid: -1 };
    await accounts.putAccount(admin, alice.userId, { isAdmin: true });
    await expect(
      accounts.startPage.createFirstAdministrator(token, 'mallory', passwordOfTests, client),
    ).rejects.toMatchObject(forbidden);
    await accounts.putAccount(admin, alice.userId, { isDeactivated: true });
    expect(await accounts.startPage.firstAdministratorDue()).toBe(true);
    expect((await request('GET', '/_matrix/client/v3/profile/@mallory:test')).status).toBe(404);
  });
});

describeOnBothEngines('the start page', (engine) => {
  const start = accountsOn(engine);
  const setUp = async () => {
    const server = await start();
    const { startPage } = server.accounts;
    const admin = await server.registerAdministrator('admin');
    const alice = await server.register('alice');
    const requesterOf = async (token: string): Promise<Requester> => {
      const requester = await startPage.findRequester(token, client);
      if (requester === undefined) throw new Error('not logged in');
      return requester;
    };
    return { ...server, startPage, asAdmin: await requesterOf(admin.token), asAlice: await requesterOf(alice.token) };
  };

  it('signs people in and out', async () => {
    const { startPage, accounts } = await setUp();
    const session = await startPage.signIn(' alice ', passwordOfTests, client);
    expect(session).toMatchObject({ userId: '@alice:test' });
    const requester = await startPage.findRequester(session.accessToken, client);
    expect(requester).toMatchObject({ userId: '@alice:test', isAdmin: false });
    if (requester !== undefined) await startPage.signOut(requester);
    expect(await startPage.findRequester(session.accessToken, client)).toBeUndefined();
    await expect(startPage.signIn('alice', 'wrong', client)).rejects.toMatchObject(forbidden);
    await accounts.moderateAccount({ userId: '@admin:test' as never }, '@alice:test' as never, { isLocked: true });
    await expect(startPage.signIn('alice', passwordOfTests, client)).rejects.toMatchObject({
      errcode: 'M_USER_LOCKED',
    });
  });

  it('lets administrators make accounts and registration tokens', async () => {
    const { startPage, asAdmin, asAlice, logIn, accounts, ports } = await setUp();
    const account = { localpart: 'Bob', password: passwordOfTests, isAdmin: false };
    expect(await startPage.createAccount(asAdmin, account)).toBe('@bob:test');
    expect((await logIn('bob')).userId).toBe('@bob:test');
    await expect(startPage.createAccount(asAlice, { ...account, localpart: 'carol' })).rejects.toMatchObject(forbidden);
    await expect(startPage.createAccount(asAdmin, account)).rejects.toMatchObject({ errcode: 'M_USER_IN_USE' });
    const limited = { usesAllowed: 2, expiresMs: ports.clock.nowMs() + 1000 };
    const token = await startPage.createRegistrationToken(asAdmin, limited);
    expect(await accounts.registrationTokens.get(token)).toMatchObject({ usesAllowed: 2, expiryTs: limited.expiresMs });
    await expect(startPage.createRegistrationToken(asAlice, limited)).rejects.toMatchObject(forbidden);
  });
});
