import { expect, it } from 'vitest';
import { describeOnBothEngines } from '../../support/databases.ts';
import { linkIn } from '../../support/mail-server.ts';
import { accountsOn, passwordAuth, refusal, type TestAccounts, type TestUser } from '../../support/test-accounts.ts';
import type { TestResponse } from '../../support/test-server.ts';

const v3 = '/_matrix/client/v3';
const dayMs = 86_400_000;
const config = { accountValidity: { periodDays: 30, remindDays: 7 } };
const fail = (error: unknown): never => {
  throw error;
};
const expired = [403, 'ORG_MATRIX_EXPIRED_ACCOUNT'];

const whoami = (test: TestAccounts, user: TestUser): Promise<TestResponse> =>
  test.request('GET', `${v3}/account/whoami`, { user });
const sendMail = (test: TestAccounts, user: TestUser): Promise<TestResponse> =>
  test.request('POST', '/_matrix/client/unstable/account_validity/send_mail', { user });

/** An address is added, by the link in the newest message. */
async function addAddress(test: TestAccounts, user: TestUser, email: string): Promise<void> {
  const secret = { client_secret: 'secret' };
  const { json } = await test.request('POST', `${v3}/account/3pid/email/requestToken`, {
    body: { ...secret, email, send_attempt: 1 },
  });
  const link = linkIn(test.ports.sentMail.at(-1) ?? { text: '' });
  await test.submitForm(link.pathname, Object.fromEntries(link.searchParams));
  const body = { ...secret, sid: String(json['sid']), auth: passwordAuth(user.userId) };
  expect((await test.request('POST', `${v3}/account/3pid/add`, { user, body })).status).toBe(200);
}

describeOnBothEngines('accounts that expire', (engine) => {
  const start = accountsOn(engine);

  it('are refused in the end, and renewed by the link in a message, once', async () => {
    const test = await start({ config });
    const alice = await test.register('alice');
    await addAddress(test, alice, 'alice@example.org');
    const before = test.ports.sentMail.length;
    await test.ports.advance(22 * dayMs);
    await test.accounts.validity.remind(fail);
    expect(test.ports.sentMail).toHaveLength(before);
    await test.ports.advance(dayMs);
    test.accounts.validity.start(fail);
    await test.ports.advance(dayMs / 24);
    await test.ports.until(() => test.ports.sentMail.length > before);
    await test.db.drained();
    const [mail, ...others] = test.ports.sentMail.slice(before);
    expect([mail?.to, others]).toEqual(['alice@example.org', []]);
    expect(mail?.text).toContain('2024-02-14');
    await test.ports.advance(3 * dayMs);
    await test.accounts.validity.remind(fail);
    expect(test.ports.sentMail).toHaveLength(before + 1);

    await test.ports.advance(4 * dayMs);
    expect(refusal(await whoami(test, alice))).toEqual(expired);
    expect(refusal(await whoami(test, await test.logIn('alice')))).toEqual(expired);
    expect((await sendMail(test, alice)).status).toBe(200);
    const old = linkIn(mail ?? { text: '' });
    expect((await test.request('GET', old.pathname + old.search)).status).toBe(400);
    const link = linkIn(test.ports.sentMail.at(-1) ?? { text: '' });
    const page = await test.request('GET', link.pathname + link.search);
    expect([page.status, page.text.includes('@alice:test')]).toEqual([200, true]);
    expect(refusal(await whoami(test, alice))).toEqual(expired);
    const press = () => test.submitForm(link.pathname, Object.fromEntries(link.searchParams));
    expect((await press()).text).toContain('is renewed');
    expect((await whoami(test, alice)).status).toBe(200);
    expect((await press()).status).toBe(400);
    await test.ports.advance(29 * dayMs);
    expect((await whoami(test, alice)).status).toBe(200);
    await test.ports.advance(dayMs);
    expect(refusal(await whoami(test, alice))).toEqual(expired);
    expect((await test.request('POST', `${v3}/logout`, { user: alice })).status).toBe(200);
  });

  it('expire when an administrator says so, and administrators never', async () => {
    const test = await start({ config });
    const admin = await test.registerAdministrator('admin');
    const alice = await test.register('alice');
    const set = (body: { user_id: string; expiration_ts?: number }) =>
      test.request('POST', '/_synapse/admin/v1/account_validity/validity', { user: admin, body });
    const nowMs = test.ports.clock.nowMs();
    expect((await whoami(test, alice)).status).toBe(200);
    expect((await set({ user_id: alice.userId, expiration_ts: nowMs })).json).toEqual({ expiration_ts: nowMs });
    expect(refusal(await whoami(test, alice))).toEqual(expired);
    expect(refusal(await sendMail(test, alice))).toEqual([400, 'M_UNKNOWN']);
    expect((await set({ user_id: alice.userId })).json).toEqual({ expiration_ts: nowMs + 30 * dayMs });
    expect((await whoami(test, alice)).status).toBe(200);
    expect(refusal(await set({ user_id: admin.userId, expiration_ts: 0 }))).toEqual([403, 'M_FORBIDDEN']);
    expect(refusal(await set({ user_id: '@nobody:test' }))).toEqual([404, 'M_NOT_FOUND']);
    await test.ports.advance(60 * dayMs);
    expect((await whoami(test, admin)).status).toBe(200);
  });

  it('are told of in time, whoever else cannot be told', async () => {
    const test = await start({ config });
    const users = [await test.register('alice'), await test.register('bob')] as const;
    await addAddress(test, users[0], 'alice@example.org');
    await addAddress(test, users[1], 'bob@example.org');
    const before = test.ports.sentMail.length;
    test.ports.refusedMailboxes.add('alice@example.org');
    await test.ports.advance(24 * dayMs);
    const failures: unknown[] = [];
    await test.accounts.validity.remind((error) => void failures.push(error));
    expect(test.ports.sentMail.slice(before).map(({ to }) => to)).toEqual(['bob@example.org']);
    expect(failures).toHaveLength(1);
    test.ports.refusedMailboxes.clear();
    await test.accounts.validity.remind(fail);
    expect(test.ports.sentMail.slice(before).map(({ to }) => to)).toEqual(['bob@example.org', 'alice@example.org']);
  });

  it('have nothing sent in their name that was begun before', async () => {
    const test = await start({ config });
    const [admin, alice] = [await test.registerAdministrator('admin'), await test.register('alice')];
    const maySend = async ({ userId }: TestUser): Promise<unknown> => {
      const account = await test.accounts.findAccount(userId);
      return test.accounts.assertMaySend({ userNid: account?.userNid ?? 0 });
    };
    expect(await maySend(alice)).toMatchObject({ userId: alice.userId });
    await test.ports.advance(30 * dayMs);
    await expect(maySend(alice)).rejects.toMatchObject({ errcode: 'ORG_MATRIX_EXPIRED_ACCOUNT' });
    expect(await maySend(admin)).toMatchObject({ userId: admin.userId });
  });

  it('are none where nothing is configured', async () => {
    const test = await start();
    const alice = await test.register('alice');
    test.accounts.validity.start(fail);
    await test.ports.advance(3_000 * dayMs);
    expect((await whoami(test, alice)).status).toBe(200);
    expect(refusal(await sendMail(test, alice))).toEqual([400, 'M_UNKNOWN']);
  });
});
