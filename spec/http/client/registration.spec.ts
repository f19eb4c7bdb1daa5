import { expect, it } from 'vitest';
import type { JsonObject } from '../../../src/matrix/json/json-value.ts';
import { describeOnBothEngines } from '../../support/databases.ts';
import {
  accountsConfigOfTests,
  accountsOn,
  passwordAuth,
  passwordOfTests,
  refusal,
  sessionOf,
} from '../../support/test-accounts.ts';

const registerPath = '/_matrix/client/v3/register';
const dummy = { type: 'm.login.dummy' };

describeOnBothEngines('registration over HTTP', (engine) => {
  const start = accountsOn(engine);

  it('answers an empty request with flows, a session and no error', async () => {
    const { request } = await start();
    const { status, json } = await request('POST', registerPath, { body: {} });
    expect(status).toBe(401);
    expect(json).toEqual({ flows: [{ stages: ['m.login.dummy'] }], params: {}, session: expect.any(String) as string });
  });

  it('makes an account and logs in', async () => {
    const { request } = await start();
    const { status, json } = await request('POST', registerPath, {
      body: { auth: dummy, username: 'Alice', password: passwordOfTests },
    });
    expect(status).toBe(200);
    expect(json).toEqual({
      user_id: '@alice:test',
      access_token: expect.stringMatching(/^vca_/) as string,
      device_id: expect.stringMatching(/^[A-Z]{10}$/) as string,
      home_server: 'test',
    });
    const user = sessionOf({ json });
    const whoami = await request('GET', '/_matrix/client/v3/account/whoami', { user });
    expect(whoami.json).toEqual({ user_id: '@alice:test', device_id: json['device_id'], is_guest: false });
    expect((await request('GET', '/_matrix/client/v3/profile/@alice:test')).json).toEqual({ displayname: 'Alice' });
  });

  it('goes through the session: the same request with auth data', async () => {
    const { request } = await start();
    const body = { username: 'bob', password: 'übers3kr1t', device_id: 'xyzzy', initial_device_display_name: 'Bob’s' };
    const { json: challenge } = await request('POST', registerPath, { body });
    const { status, json } = await request('POST', registerPath, {
      body: { ...body, auth: { ...dummy, session: challenge['session'] } },
    });
    expect(status).toBe(200);
    expect(json).toMatchObject({ user_id: '@bob:test', device_id: 'xyzzy' });
    const user = sessionOf({ json });
    expect((await request('GET', '/_matrix/client/v3/devices/xyzzy', { user })).json).toMatchObject({
      display_name: 'Bob’s',
    });
  });

  it('gives a client that repeats its last request the account it has just made', async () => {
    const { request } = await start();
    const body = { username: 'carol', password: passwordOfTests, device_id: 'phone' };
    const { json: challenge } = await request('POST', registerPath, { body });
    const again = { ...body, auth: { ...dummy, session: challenge['session'] } };
    const first = await request('POST', registerPath, { body: again });
    const second = await request('POST', registerPath, { body: again });
    expect(second.status).toBe(200);
    expect(second.json).toMatchObject({ user_id: '@carol:test', device_id: 'phone' });
    expect(second.json['access_token']).not.toBe(first.json['access_token']);
    const whoami = (response: typeof first) =>
      request('GET', '/_matrix/client/v3/account/whoami', { user: sessionOf(response) });
    expect((await whoami(second)).status).toBe(200);
    expect(refusal(await whoami(first))).toEqual([401, 'M_UNKNOWN_TOKEN']);
  });

  it('leaves the login out where it is not wanted', async () => {
    const { request, logIn } = await start();
    const { json } = await request('POST', registerPath, {
      body: { auth: dummy, username: 'dave', password: passwordOfTests, inhibit_login: true },
    });
    expect(json).toEqual({ user_id: '@dave:test' });
    expect((await logIn('dave')).userId).toBe('@dave:test');
  });

  it('hands out a refresh token where the client can use one', async () => {
    const { request } = await start();
    const { json } = await request('POST', registerPath, {
      body: { auth: dummy, username: 'erin', password: passwordOfTests, refresh_token: true },
    });
    expect(json).toMatchObject({ refresh_token: expect.stringMatching(/^vcr_/) as string, expires_in_ms: 3_600_000 });
  });

  it('makes up a name for who has no wish', async () => {
    const { request } = await start();
    const { json } = await request('POST', registerPath, { body: { auth: dummy, password: passwordOfTests } });
    expect(json['user_id']).toMatch(/^@[a-z0-9]{12}:test$/);
  });

  it('refuses names outside the grammar, and those that are not for people', async () => {
    const { request } = await start();
    const inside = Array.from('!":?\\@[]{|}£é\n\' ,$').map((character) => `user-${character}-reject`);
    for (const username of [...inside, '', '_bridge', '_server', 'x'.repeat(250)]) {
      const body = { auth: dummy, username, password: passwordOfTests };
      expect(refusal(await request('POST', registerPath, { body }))).toEqual([400, 'M_INVALID_USERNAME']);
      const available = await request('GET', `${registerPath}/available`, { query: { username } });
      expect(refusal(available)).toEqual([400, 'M_INVALID_USERNAME']);
    }
  });

  it('accepts every character that the grammar allows', async () => {
    const { register } = await start();
    for (const character of Array.from('q3._=-/+'))
      expect((await register(`user${character}`)).userId).toBe(`@user${character}:test`);
  });

  it('tells a taken name before any stage, and by availability', async () => {
    const { request, register } = await start();
    await register('alice');
    for (const username of ['alice', 'ALICE']) {
      expect(refusal(await request('POST', registerPath, { body: { username, password: passwordOfTests } }))).toEqual([
        400,
        'M_USER_IN_USE',
      ]);
      const available = await request('GET', `${registerPath}/available`, { query: { username } });
      expect(refusal(available)).toEqual([400, 'M_USER_IN_USE']);
    }
    const free = await request('GET', `${registerPath}/available`, { query: { username: 'bob' } });
    expect([free.status, free.json]).toEqual([200, { available: true }]);
    expect((await request('GET', `${registerPath}/available`)).json['errcode']).toBe('M_MISSING_PARAM');
  });

  it('gives a name to one of many who want it at the same moment', async () => {
    const { request } = await start();
    const body = { auth: dummy, username: 'popular', password: passwordOfTests };
    const answers = await Promise.all(Array.from({ length: 8 }, () => request('POST', registerPath, { body })));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ json }) => json['errcode'] === 'M_USER_IN_USE')).toHaveLength(7);
  });

  it('refuses weak, missing and misplaced passwords', async () => {
    const { request } = await start();
    const outcome = async (body: Record<string, string | number | object>) => {
      return refusal(await request('POST', registerPath, { body: body as never }));
    };
    expect(await outcome({ username: 'alice', password: 'short' })).toEqual([400, 'M_WEAK_PASSWORD']);
    expect(await outcome({ username: 'alice', auth: dummy })).toEqual([400, 'M_MISSING_PARAM']);
    expect(await outcome({ username: 'alice', password: 7 })).toEqual([400, 'M_BAD_JSON']);
    expect(await outcome({ username: 'alice', password: 'x'.repeat(1000) })).toEqual([400, 'M_INVALID_PARAM']);
    expect(await outcome({ username: 7, password: passwordOfTests })).toEqual([400, 'M_BAD_JSON']);
    expect(await outcome({ username: 'alice', password: passwordOfTests, auth: 'dummy' })).toEqual([400, 'M_BAD_JSON']);
  });

  it('keeps the session when the stage is not one of the flow', async () => {
    const { request } = await start();
    const body = { username: 'alice', password: passwordOfTests };
    const { json: challenge } = await request('POST', registerPath, { body });
    const wrong = await request('POST', registerPath, {
      body: { ...body, auth: { ...passwordAuth('alice'), session: challenge['session'] } },
    });
    expect(wrong.status).toBe(401);
    expect(wrong.json).toMatchObject({ errcode: 'M_FORBIDDEN', session: challenge['session'] });
    const right = await request('POST', registerPath, {
      body: { ...body, auth: { ...dummy, session: challenge['session'] } },
    });
    expect(right.status).toBe(200);
  });

  it('refuses guests, unknown kinds and everybody where registration is closed', async () => {
    const open = await start();
    const guest = await open.request('POST', registerPath, { body: {}, query: { kind: 'guest' } });
    expect(refusal(guest)).toEqual([403, 'M_GUEST_ACCESS_FORBIDDEN']);
    const robot = await open.request('POST', registerPath, { body: {}, query: { kind: 'robot' } });
    expect(refusal(robot)).toEqual([400, 'M_INVALID_PARAM']);
    const closed = await start({
      config: { registration: { ...accountsConfigOfTests.registration, enabled: false } },
    });
    expect(refusal(await closed.request('POST', registerPath, { body: {} }))).toEqual([403, 'M_FORBIDDEN']);
    const validity = await closed.request('GET', '/_matrix/client/v1/register/m.login.registration_token/validity', {
      query: { token: 'x' },
    });
    expect(refusal(validity)).toEqual([403, 'M_FORBIDDEN']);
    // Nobody needs to know which names are taken.
    const available = await closed.request('GET', `${registerPath}/available`, { query: { username: 'alice' } });
    expect(refusal(available)).toEqual([403, 'M_FORBIDDEN']);
  });
});

describeOnBothEngines('registration by token over HTTP', (engine) => {
  const start = accountsOn(engine);
  const startWithToken = async (token: { usesAllowed?: number; expiryTs?: number }) => {
    const started = await start({
      config: { registration: { ...accountsConfigOfTests.registration, requireToken: true } },
    });
    await started.accounts.registrationTokens.create({
      token: 'letmein',
      length: undefined,
      usesAllowed: token.usesAllowed,
      expiryTs: token.expiryTs,
    });
    const attempt = (username: string, auth: JsonObject) =>
      started.request('POST', registerPath, { body: { username, password: passwordOfTests, auth } });
    /** One stage after the other, as long as they are passed. */
    const registerAs = async (username: string, given: string) => {
      const first = await attempt(username, { type: 'm.login.registration_token', token: given });
      const { completed, session = null } = first.json;
      return completed === undefined ? first : attempt(username, { type: 'm.login.dummy', session });
    };
    const isValid = async () =>
      (
        await started.request('GET', '/_matrix/client/v1/register/m.login.registration_token/validity', {
          query: { token: 'letmein' },
        })
      ).json['valid'];
    return { ...started, registerAs, isValid };
  };

  it('takes one use per account, however many try at once', async () => {
    const { registerAs, isValid, accounts } = await startWithToken({ usesAllowed: 2 });
    expect(await isValid()).toBe(true);
    const answers = await Promise.all(['alice', 'bob', 'carol', 'dave'].map((name) => registerAs(name, 'letmein')));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(2);
    for (const refused of answers.filter(({ status }) => status !== 200))
      expect(refusal(refused)).toEqual([401, 'M_UNAUTHORIZED']);
    expect(await accounts.registrationTokens.get('letmein')).toMatchObject({ completed: 2, pending: 0 });
    expect(await isValid()).toBe(false);
  });

  it('tells a wrong token within the session', async () => {
    const { registerAs, request } = await startWithToken({});
    const { status, json } = await registerAs('alice', 'wrong');
    expect(status).toBe(401);
    expect(json).toMatchObject({
      errcode: 'M_UNAUTHORIZED',
      flows: [{ stages: ['m.login.registration_token', 'm.login.dummy'] }],
      session: expect.any(String) as string,
    });
    const { session = null } = json;
    const attempt = (auth: JsonObject) =>
      request('POST', registerPath, { body: { username: 'alice', password: passwordOfTests, auth } });
    const retried = await attempt({ type: 'm.login.registration_token', token: 'letmein', session });
    expect(refusal(retried)).toEqual([401, undefined]);
    expect(retried.json).toMatchObject({ completed: ['m.login.registration_token'], session });
    expect((await attempt({ type: 'm.login.dummy', session })).status).toBe(200);
  });

  it('asks for the token first: a dummy stage alone registers nobody', async () => {
    const { request } = await startWithToken({});
    const { status, json } = await request('POST', registerPath, {
      body: { username: 'alice', password: passwordOfTests, auth: { type: 'm.login.dummy' } },
    });
    expect([status, json['errcode']]).toEqual([401, 'M_FORBIDDEN']);
  });

  it('refuses an expired token, a missing one and one that is no text', async () => {
    const { registerAs, request, ports, isValid } = await startWithToken({ expiryTs: 1_705_305_600_000 + 60_000 });
    expect((await registerAs('alice', 'letmein')).status).toBe(200);
    await ports.advance(60_000);
    expect((await registerAs('bob', 'letmein')).json['errcode']).toBe('M_UNAUTHORIZED');
    expect(await isValid()).toBe(false);
    for (const [token, errcode] of [
      [undefined, 'M_MISSING_PARAM'],
      [7, 'M_BAD_JSON'],
    ] as const) {
      const auth = { type: 'm.login.registration_token', ...(token === undefined ? {} : { token }) };
      const { json } = await request('POST', registerPath, {
        body: { username: 'bob', password: passwordOfTests, auth },
      });
      expect(json['errcode']).toBe(errcode);
    }
  });

  it('gives the use back when the name was taken between two stages', async () => {
    const { request, registerAs, accounts } = await startWithToken({ usesAllowed: 2 });
    const attempt = (auth: JsonObject) =>
      request('POST', registerPath, { body: { username: 'alice', password: passwordOfTests, auth } });
    const { session = null } = (await attempt({ type: 'm.login.registration_token', token: 'letmein' })).json;
    expect(await accounts.registrationTokens.get('letmein')).toMatchObject({ completed: 0, pending: 1 });
    expect((await registerAs('alice', 'letmein')).status).toBe(200);
    expect(refusal(await attempt({ type: 'm.login.dummy', session }))).toEqual([400, 'M_USER_IN_USE']);
    expect(await accounts.registrationTokens.get('letmein')).toMatchObject({ completed: 1, pending: 0 });
    expect((await registerAs('bob', 'letmein')).status).toBe(200);
  });

  it('gives the use back when the name was taken meanwhile', async () => {
    const { registerAs, accounts } = await startWithToken({ usesAllowed: 2 });
    const answers = await Promise.all([registerAs('alice', 'letmein'), registerAs('alice', 'letmein')]);
    expect(answers.filter(({ status }) => status === 400)).toHaveLength(1);
    expect(await accounts.registrationTokens.get('letmein')).toMatchObject({ completed: 1, pending: 0 });
    expect((await registerAs('bob', 'letmein')).status).toBe(200);
  });
});
