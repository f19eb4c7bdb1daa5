import { describe, expect, it } from 'vitest';
import { TokenBuckets } from '../../../src/http/rate-limiter.ts';
import { loadConfig } from '../../../src/platform/config/config.ts';
import { limits } from '../../../src/platform/limits.ts';
import type { JsonObject } from '../../../src/matrix/json/json-value.ts';
import { describeOnBothEngines } from '../../support/databases.ts';
import { linkIn } from '../../support/mail-server.ts';
import {
  accountsConfigOfTests,
  accountsOn,
  emailConfigOfTests,
  passwordAuth,
  passwordOfTests,
  refusal,
  sessionOf,
  type TestAccounts,
  type TestUser,
} from '../../support/test-accounts.ts';
import { testPorts } from '../../support/test-ports.ts';
import type { TestResponse } from '../../support/test-server.ts';

const v3 = '/_matrix/client/v3';
const secret = 'monkeys_are_GREAT';
const telling = { ...emailConfigOfTests, hideKnownAddresses: false };
const withEmail = (email: 'optional' | 'required'): Pick<typeof accountsConfigOfTests, 'registration'> => ({
  registration: { ...accountsConfigOfTests.registration, email },
});

type Where = 'register' | 'account/password' | 'account/3pid';
const requestToken = (test: TestAccounts, where: Where, email: string, more: JsonObject = {}): Promise<TestResponse> =>
  test.request('POST', `${v3}/${where}/email/requestToken`, {
    body: { client_secret: secret, email, send_attempt: 1, ...more },
  });

/** Follows the newest message's link and presses the button. */
async function confirm(test: TestAccounts): Promise<TestResponse> {
  const link = linkIn(test.ports.sentMail.at(-1) ?? { text: '' });
  const [sid, token] = [link.searchParams.get('sid') ?? '', link.searchParams.get('token') ?? ''];
  return test.submitForm(link.pathname, { sid, token });
}

async function confirmed(test: TestAccounts, where: Where, email: string): Promise<JsonObject> {
  const { status, json } = await requestToken(test, where, email);
  expect(status).toBe(200);
  expect((await confirm(test)).status).toBe(200);
  return { sid: String(json['sid']), client_secret: secret };
}
const emailAuth = (credentials: JsonObject): JsonObject => ({
  type: 'm.login.email.identity',
  threepid_creds: credentials,
});
async function addAddress(test: TestAccounts, user: TestUser, email: string): Promise<void> {
  const credentials = await confirmed(test, 'account/3pid', email);
  const body = { ...credentials, auth: passwordAuth(user.userId) };
  expect(await test.request('POST', `${v3}/account/3pid/add`, { user, body })).toMatchObject({ status: 200 });
}
const addressesOf = async (test: TestAccounts, user: TestUser): Promise<unknown> => {
  const { json } = await test.request('GET', `${v3}/account/3pid`, { user });
  return (json['threepids'] as { medium: string; address: string }[]).map(({ medium, address }) => [medium, address]);
};

describeOnBothEngines('addresses of accounts', (engine) => {
  const start = accountsOn(engine);

  it('are confirmed by a link in a message and added with the password', async () => {
    const test = await start();
    const alice = await test.register('alice');
    const asked = await requestToken(test, 'account/3pid', ' Alice@Example.ORG ');
    const sid = String(asked.json['sid']);
    expect(asked.json).toEqual({
      sid,
      submit_url: 'https://matrix.test/_matrix/client/unstable/veche/email/submit_token',
    });
    expect(test.ports.sentMail).toMatchObject([
      { to: 'alice@example.org', subject: 'test: confirm your e-mail address' },
    ]);
    const add = (auth?: JsonObject): Promise<TestResponse> =>
      test.request('POST', `${v3}/account/3pid/add`, {
        user: alice,
        body: { sid, client_secret: secret, ...(auth === undefined ? {} : { auth }) },
      });
    expect(refusal(await add(passwordAuth('alice')))).toEqual([400, 'M_THREEPID_AUTH_FAILED']);

    const link = linkIn(test.ports.sentMail[0] ?? { text: '' });
    const page = await test.request('GET', link.pathname + link.search);
    expect([page.status, page.text.includes('alice@example.org'), page.text.includes('<button>')]).toEqual([
      200,
      true,
      true,
    ]);
    expect(refusal(await add(passwordAuth('alice')))).toEqual([400, 'M_THREEPID_AUTH_FAILED']);
    expect((await confirm(test)).text).toContain('is confirmed');

    const challenge = await add();
    expect([challenge.status, challenge.json['flows']]).toEqual([401, [{ stages: ['m.login.password'] }]]);
    const auth = { ...passwordAuth('alice'), session: String(challenge.json['session']) };
    expect((await add(auth)).status).toBe(200);
    // The answer may have been lost.
    expect((await add(auth)).status).toBe(200);
    expect(await addressesOf(test, alice)).toEqual([['email', 'alice@example.org']]);
    expect(refusal(await add(passwordAuth('alice')))).toEqual([400, 'M_THREEPID_AUTH_FAILED']);
  });

  it('log in, and set a new password, which logs devices out as asked', async () => {
    const test = await start();
    const alice = await test.register('alice');
    await addAddress(test, alice, 'alice@example.org');
    const logIn = (password: string, medium = 'email'): Promise<TestResponse> =>
      test.request('POST', `${v3}/login`, {
        body: {
          type: 'm.login.password',
          identifier: { type: 'm.id.thirdparty', medium, address: 'ALICE@example.org' },
          password,
        },
      });
    expect((await logIn(passwordOfTests)).json['user_id']).toBe(alice.userId);
    expect(refusal(await logIn(passwordOfTests, 'msisdn'))).toEqual([403, 'M_FORBIDDEN']);

    const change = (auth: JsonObject, password: string, more: JsonObject = {}): Promise<TestResponse> =>
      test.request('POST', `${v3}/account/password`, { body: { auth, new_password: password, ...more } });
    const flows = [{ stages: ['m.login.password'] }, { stages: ['m.login.email.identity'] }];
    expect((await change({ session: 'x' }, 'new password 1')).json['flows']).toEqual(flows);
    const first = await confirmed(test, 'account/password', 'alice@example.org');
    expect(test.ports.sentMail.at(-1)?.text).toContain('@alice:test');
    expect((await change(emailAuth(first), 'new password 1', { logout_devices: false })).status).toBe(200);
    expect(refusal(await logIn(passwordOfTests))).toEqual([403, 'M_FORBIDDEN']);
    expect((await test.request('GET', `${v3}/account/whoami`, { user: alice })).status).toBe(200);
    // It serves once.
    expect((await change(emailAuth(first), 'another one')).status).toBe(401);

    const second = await confirmed(test, 'account/password', 'alice@example.org');
    expect((await change(emailAuth(second), 'new password 2')).status).toBe(200);
    expect(refusal(await test.request('GET', `${v3}/account/whoami`, { user: alice }))).toEqual([
      401,
      'M_UNKNOWN_TOKEN',
    ]);
    const { token } = sessionOf(await logIn('new password 2'));
    expect(token).not.toBe('');
    // Who is logged in says the password that they know.
    const { json } = await test.request('POST', `${v3}/account/password`, {
      user: { token },
      body: { new_password: 'new password 3' },
    });
    expect(json['flows']).toEqual([{ stages: ['m.login.password'] }]);
  });

  it('set no password once they are taken from the account', async () => {
    const test = await start();
    const alice = await test.register('alice');
    await addAddress(test, alice, 'alice@example.org');
    const credentials = await confirmed(test, 'account/password', 'alice@example.org');
    const remove = (path: string): Promise<TestResponse> =>
      test.request('POST', `${v3}/account/3pid/${path}`, {
        user: alice,
        body: { medium: 'email', address: 'Alice@example.org' },
      });
    expect((await remove('unbind')).json).toEqual({ id_server_unbind_result: 'no-support' });
    expect(await addressesOf(test, alice)).toHaveLength(1);
    expect((await remove('delete')).json).toEqual({ id_server_unbind_result: 'no-support' });
    expect((await remove('delete')).status).toBe(200);
    expect(await addressesOf(test, alice)).toEqual([]);
    expect(test.wakes).toContainEqual(
      expect.objectContaining({ kind: 'threepid-removed', medium: 'email', address: 'alice@example.org' }),
    );
    const body = { auth: emailAuth(credentials), new_password: 'stolen password' };
    expect((await test.request('POST', `${v3}/account/password`, { body })).status).toBe(401);
    expect((await test.logIn('alice')).userId).toBe(alice.userId);
  });

  it('belong to one account', async () => {
    const test = await start();
    const [alice, bob] = [await test.register('alice'), await test.register('bob')];
    const forBob = await confirmed(test, 'account/3pid', 'both@example.org');
    const forAlice = await (async () => {
      const { json } = await requestToken(test, 'account/3pid', 'both@example.org', { client_secret: 'another' });
      await confirm(test);
      return { sid: String(json['sid']), client_secret: 'another' };
    })();
    const add = (user: TestUser, credentials: JsonObject): Promise<TestResponse> =>
      test.request('POST', `${v3}/account/3pid/add`, {
        user,
        body: { ...credentials, auth: passwordAuth(user.userId) },
      });
    expect((await add(alice, forAlice)).status).toBe(200);
    expect(refusal(await add(bob, forBob))).toEqual([400, 'M_THREEPID_IN_USE']);
    expect(await addressesOf(test, bob)).toEqual([]);
  });

  it('are confirmed at registration', async () => {
    const test = await start({ config: withEmail('optional') });
    const register = (auth: JsonObject | undefined, username = 'alice'): Promise<TestResponse> =>
      test.request('POST', `${v3}/register`, {
        body: { username, password: passwordOfTests, ...(auth === undefined ? {} : { auth }) },
      });
    const stages = [{ stages: ['m.login.dummy'] }, { stages: ['m.login.email.identity'] }];
    expect((await register(undefined)).json['flows']).toEqual(stages);
    const asked = await requestToken(test, 'register', 'alice@example.org');
    const auth = emailAuth({ sid: String(asked.json['sid']), client_secret: secret });
    expect(refusal(await register(auth))).toEqual([401, 'M_UNAUTHORIZED']);
    await confirm(test);
    const made = await register(auth);
    expect(made.json['user_id']).toBe('@alice:test');
    const user = { ...sessionOf(made), userId: '@alice:test', deviceId: '' } as TestUser;
    expect(await addressesOf(test, user)).toEqual([['email', 'alice@example.org']]);
    expect((await register(auth, 'mallory')).status).toBe(401);
    expect((await register({ type: 'm.login.dummy' }, 'bob')).json['user_id']).toBe('@bob:test');
  });

  it('can be demanded of who registers', async () => {
    const test = await start({ config: withEmail('required') });
    const body = { username: 'alice', password: passwordOfTests };
    const { json } = await test.request('POST', `${v3}/register`, { body });
    expect(json['flows']).toEqual([{ stages: ['m.login.email.identity'] }]);
    const refused = await test.request('POST', `${v3}/register`, {
      body: { ...body, auth: { type: 'm.login.dummy' } },
    });
    expect(refused.status).toBe(401);
  });

  it('are told to nobody but who reads the mailbox', async () => {
    const test = await start();
    const alice = await test.register('alice');
    await addAddress(test, alice, 'alice@example.org');
    for (const [where, email, told] of [
      ['register', 'alice@example.org', 'belongs to an account already: @alice:test'],
      ['account/3pid', 'alice@example.org', 'belongs to @alice:test already'],
      ['account/password', 'nobody@example.org', 'no account there has this address'],
    ] as const) {
      const { status, json } = await requestToken(test, where, email, { client_secret: 'curious' });
      expect([status, Object.keys(json)]).toEqual([200, ['sid', 'submit_url']]);
      const mail = test.ports.sentMail.at(-1);
      expect([mail?.to, mail?.text.includes(told), mail?.text.includes('token=')]).toEqual([email, true, false]);
      const guess = { sid: String(json['sid']), client_secret: 'curious', token: 'guess' };
      const submitted = await test.request('POST', '/_matrix/client/unstable/veche/email/submit_token', {
        body: guess,
      });
      expect(refusal(submitted)).toEqual([400, 'M_TOKEN_INCORRECT']);
    }
  });

  it('are told of where the operator wants it', async () => {
    const test = await start({ config: { email: telling } });
    const alice = await test.register('alice');
    await addAddress(test, alice, 'alice@example.org');
    const mails = test.ports.sentMail.length;
    expect(refusal(await requestToken(test, 'register', 'Alice@example.org'))).toEqual([400, 'M_THREEPID_IN_USE']);
    expect(refusal(await requestToken(test, 'account/3pid', 'alice@example.org'))).toEqual([400, 'M_THREEPID_IN_USE']);
    const unknown = await requestToken(test, 'account/password', 'nobody@example.org');
    expect(refusal(unknown)).toEqual([400, 'M_THREEPID_NOT_FOUND']);
    expect(test.ports.sentMail).toHaveLength(mails);
  });

  it('are sent a message per attempt, and only the newest link counts', async () => {
    const test = await start();
    const first = await requestToken(test, 'register', 'a@example.org');
    const again = await requestToken(test, 'register', 'a@example.org');
    expect([again.json['sid'], test.ports.sentMail.length]).toEqual([first.json['sid'], 1]);
    const oldLink = linkIn(test.ports.sentMail[0] ?? { text: '' });
    const second = await requestToken(test, 'register', 'a@example.org', { send_attempt: 2 });
    expect([second.json['sid'], test.ports.sentMail.length]).toEqual([first.json['sid'], 2]);
    expect((await test.request('GET', oldLink.pathname + oldLink.search)).status).toBe(400);
    const otherSecret = await requestToken(test, 'register', 'a@example.org', { client_secret: 'other' });
    expect(otherSecret.json['sid']).not.toBe(first.json['sid']);
  });

  it('are confirmed by a typed code too, in time, with the right secret and for one purpose', async () => {
    const test = await start();
    const alice = await test.register('alice');
    const { json } = await requestToken(test, 'account/3pid', 'alice@example.org');
    const sid = String(json['sid']);
    const token = linkIn(test.ports.sentMail[0] ?? { text: '' }).searchParams.get('token') ?? '';
    expect(test.ports.sentMail[0]?.text).toContain(`    ${token}\n`);
    const submit = (body: JsonObject): Promise<TestResponse> =>
      test.request('POST', '/_matrix/client/unstable/veche/email/submit_token', {
        body: { sid, client_secret: secret, token, ...body },
      });
    for (const wrong of [{ token: 'x' }, { client_secret: 'x' }, { sid: 'x' }, { sid: '\u0000' }])
      expect(refusal(await submit(wrong))).toEqual([400, 'M_TOKEN_INCORRECT']);
    expect((await submit({})).json).toEqual({ success: true });
    expect((await submit({})).json).toEqual({ success: true });
    const auth = emailAuth({ sid, client_secret: secret });
    const body = { auth, username: 'bob', password: passwordOfTests };
    expect((await test.request('POST', `${v3}/register`, { body })).status).toBe(401);
    const post = (creds: JsonObject): Promise<TestResponse> =>
      test.request('POST', `${v3}/account/3pid`, {
        user: alice,
        body: {
          three_pid_creds: { id_server: 'id.example.org', id_access_token: 'x', ...creds },
          auth: passwordAuth('alice'),
        },
      });
    expect(refusal(await post({ sid, client_secret: 'x' }))).toEqual([403, 'M_THREEPID_AUTH_FAILED']);
    await test.ports.advance(limits.validatedEmailMs);
    expect(refusal(await post({ sid, client_secret: secret }))).toEqual([403, 'M_THREEPID_AUTH_FAILED']);
    expect(refusal(await submit({}))).toEqual([400, 'M_TOKEN_INCORRECT']);
    const anew = await confirmed(test, 'account/3pid', 'alice@example.org');
    expect((await post(anew)).status).toBe(200);
    expect(await addressesOf(test, alice)).toEqual([['email', 'alice@example.org']]);
  });
});

describeOnBothEngines('what an address is asked for with', (engine) => {
  const start = accountsOn(engine);

  it('is refused when it is wrong', async () => {
    const test = await start({ config: { email: { ...emailConfigOfTests, deniedAddresses: ['*@evil.example'] } } });
    // The mailer of the test has the same lists.
    const refused = async (more: JsonObject, email = 'a@example.org'): Promise<unknown> =>
      refusal(await requestToken(test, 'register', email, more));
    expect(await refused({ client_secret: 'has space' })).toEqual([400, 'M_INVALID_PARAM']);
    expect(await refused({ client_secret: '' })).toEqual([400, 'M_INVALID_PARAM']);
    expect(await refused({ send_attempt: 'x' })).toEqual([400, 'M_BAD_JSON']);
    for (const link of ['javascript:alert(1)', 'data:text/html,x', 'not a link', `https://x/${'a'.repeat(3000)}`])
      expect(await refused({ next_link: link })).toEqual([400, 'M_INVALID_PARAM']);
    for (const email of ['nobody', 'a@b, c@d', 'a@b\r\nBcc: c@d'])
      expect(await refused({}, email)).toEqual([400, 'M_INVALID_PARAM']);
    expect(await refused({}, 'x@evil.example')).toEqual([403, 'M_THREEPID_DENIED']);
    expect(test.ports.sentMail).toEqual([]);
  });

  it('leads on to the app: by itself where the configuration names its host, otherwise by a link', async () => {
    const test = await start();
    await requestToken(test, 'register', 'a@example.org', { next_link: 'https://app.test/#/done?x=1&y=2' });
    const known = await confirm(test);
    expect(known.headers.get('refresh')).toBe('0; url=https://app.test/#/done?x=1&y=2');
    await requestToken(test, 'register', 'b@example.org', { next_link: 'https://else.example/"><b>' });
    const other = await confirm(test);
    expect(other.headers.get('refresh')).toBeNull();
    expect(other.text).toContain('href="https://else.example/%22%3E%3Cb%3E"');
    expect(other.headers.get('referrer-policy')).toBe('no-referrer');
  });

  it('is answered in the language of who asks', async () => {
    const test = await start();
    await test.request('POST', `${v3}/register/email/requestToken`, {
      body: { client_secret: secret, email: 'a@example.org', send_attempt: 1 },
      headers: { 'accept-language': 'ru-RU,ru;q=0.9' },
    });
    expect(test.ports.sentMail[0]?.subject).toBe('test: подтвердите адрес почты');
    expect((await confirm(test)).text).toContain('lang="en"');
    const link = linkIn(test.ports.sentMail[0] ?? { text: '' });
    expect((await test.request('GET', link.pathname + link.search)).text).toContain('lang="ru"');
  });

  it('is limited for each mailbox, whoever asks', async () => {
    const { rateLimits } = loadConfig(undefined, {});
    const attempts = new TokenBuckets(rateLimits, testPorts().clock);
    const test = await start({ attempts });
    const ask = (index: number): Promise<TestResponse> =>
      requestToken(test, 'register', 'a@example.org', { client_secret: `s${index}` });
    for (let index = 0; index < rateLimits.mailbox.burst; index++) expect((await ask(index)).status).toBe(200);
    const refused = await ask(99);
    expect(refusal(refused)).toEqual([429, 'M_LIMIT_EXCEEDED']);
    expect(refused.json['retry_after_ms']).toBeGreaterThan(0);
    expect((await requestToken(test, 'register', 'b@example.org')).status).toBe(200);
  });
});

describeOnBothEngines('a server', (engine) => {
  const start = accountsOn(engine);
  const phone = { client_secret: secret, country: 'GB', phone_number: '07700900001', send_attempt: 1 };

  it('without a mail server confirms no addresses, and none has phone numbers or identity servers', async () => {
    const test = await start({ config: { ...withEmail('optional'), email: loadConfig(undefined, {}).email } });
    const alice = await test.register('alice');
    for (const where of ['register', 'account/password', 'account/3pid'] as const) {
      const unsupported = [400, 'M_THREEPID_MEDIUM_NOT_SUPPORTED'];
      expect(refusal(await requestToken(test, where, 'a@example.org'))).toEqual(unsupported);
      const path = `${v3}/${where}/msisdn/requestToken`;
      expect(refusal(await test.request('POST', path, { body: phone }))).toEqual(unsupported);
    }
    const bind = { client_secret: secret, id_server: 'id.example.org', id_access_token: 'x', sid: 'y' };
    const bound = await test.request('POST', `${v3}/account/3pid/bind`, { user: alice, body: bind });
    expect(refusal(bound)).toEqual([403, 'M_THREEPID_DENIED']);
    const { json } = await test.request('GET', `${v3}/capabilities`, { user: alice });
    expect(json['capabilities']).toMatchObject({ 'm.3pid_changes': { enabled: false } });
    expect((await test.request('POST', `${v3}/register`, { body: {} })).json['flows']).toEqual([
      { stages: ['m.login.dummy'] },
    ]);
  });

  it('that is closed confirms no addresses for registration', async () => {
    const registration = { ...accountsConfigOfTests.registration, enabled: false };
    const test = await start({ config: { registration } });
    expect(refusal(await requestToken(test, 'register', 'a@example.org'))).toEqual([403, 'M_FORBIDDEN']);
  });
});

describe('the configuration', () => {
  it('cannot demand addresses that nothing can be sent to', () => {
    expect(() => loadConfig(undefined, { VECHE_REGISTRATION__EMAIL: 'required' })).toThrow(/needs a mail server/);
  });
});
