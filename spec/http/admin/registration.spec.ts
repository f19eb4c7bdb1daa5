import { expect, it } from 'vitest';
import { operatorSecret, registrationMac } from '../../../src/accounts/shared-secret.ts';
import type { JsonObject } from '../../../src/matrix/json/json-value.ts';
import { limits } from '../../../src/platform/limits.ts';
import { describeOnBothEngines } from '../../support/databases.ts';
import {
  accountsConfigOfTests,
  accountsOn,
  localServersOfTests,
  passwordOfTests,
  refusal,
  sharedSecretOfTests,
} from '../../support/test-accounts.ts';

const synapsePath = '/_synapse/admin/v1/register';
const operatorPath = '/_veche/admin/v1/operator/register';
const tokensPath = '/_synapse/admin/v1/registration_tokens';

describeOnBothEngines('registration with a secret over HTTP', (engine) => {
  const start = accountsOn(engine);
  const setUp = async (path = synapsePath, secret = sharedSecretOfTests) => {
    const server = await start();
    const nonceOf = async () => (await server.request('GET', path)).json['nonce'] as string;
    const signed = (nonce: string, username: string, more: { isAdmin?: boolean; userType?: string } = {}) =>
      registrationMac(secret, {
        nonce,
        username,
        password: passwordOfTests,
        isAdmin: more.isAdmin === true,
        userType: more.userType,
      });
    const post = (body: JsonObject) => server.request('POST', path, { body });
    return { ...server, nonceOf, signed, post };
  };
  const password = passwordOfTests;

  it('makes accounts whether registration is open or not', async () => {
    const { nonceOf, signed, post, request } = await setUp();
    const nonce = await nonceOf();
    const { status, json } = await post({ nonce, username: 'User-UPPER', password, mac: signed(nonce, 'User-UPPER') });
    expect(status).toBe(200);
    expect(json).toMatchObject({
      user_id: '@user-upper:test',
      home_server: 'test',
      device_id: expect.any(String) as string,
    });
    const user = { token: json['access_token'] as string };
    expect((await request('GET', '/_matrix/client/v3/account/whoami', { user })).json).toMatchObject({
      user_id: '@user-upper:test',
    });
    expect(refusal(await request('GET', '/_synapse/admin/v2/users/@user-upper:test', { user }))).toEqual([
      403,
      'M_FORBIDDEN',
    ]);
  });

  it('makes administrators, and accounts of other types, with a name', async () => {
    const { nonceOf, signed, post, request } = await setUp();
    const first = await nonceOf();
    const admin = await post({
      nonce: first,
      username: 'adminuser',
      password,
      admin: true,
      mac: signed(first, 'adminuser', { isAdmin: true }),
    });
    const second = await nonceOf();
    const bot = await post({
      nonce: second,
      username: 'bot',
      password,
      user_type: 'bot',
      displayname: 'The Bot',
      inhibit_login: true,
      mac: signed(second, 'bot', { userType: 'bot' }),
    });
    expect(bot.json).toEqual({ user_id: '@bot:test' });
    const user = { token: admin.json['access_token'] as string };
    expect((await request('GET', '/_synapse/admin/v2/users/@bot:test', { user })).json).toMatchObject({
      admin: false,
      user_type: 'bot',
      displayname: 'The Bot',
      last_seen_ts: null,
    });
  });

  it('takes each nonce once, and not for long', async () => {
    const { nonceOf, signed, post, ports } = await setUp();
    const nonce = await nonceOf();
    const alice = { nonce, username: 'alice', password, mac: signed(nonce, 'alice') };
    expect((await post(alice)).status).toBe(200);
    expect(refusal(await post({ ...alice, username: 'bob', mac: signed(nonce, 'bob') }))).toEqual([400, 'M_UNKNOWN']);
    const late = await nonceOf();
    await ports.advance(limits.nonceMs);
    expect(refusal(await post({ nonce: late, username: 'bob', password, mac: signed(late, 'bob') }))).toEqual([
      400,
      'M_UNKNOWN',
    ]);
    const invented = 'f'.repeat(64);
    expect(refusal(await post({ nonce: invented, username: 'bob', password, mac: signed(invented, 'bob') }))).toEqual([
      400,
      'M_UNKNOWN',
    ]);
  });

  it('refuses a signature of anything else', async () => {
    const { nonceOf, signed, post } = await setUp();
    const attempts: ((nonce: string) => JsonObject)[] = [
      (nonce) => ({ mac: signed(nonce, 'bob') }),
      (nonce) => ({ mac: signed(nonce, 'alice'), admin: true }),
      (nonce) => ({ mac: signed(nonce, 'alice'), password: 'another password' }),
      (nonce) => ({ mac: signed(nonce, 'alice'), user_type: 'bot' }),
      (nonce) => ({ mac: signed(nonce, 'alice').slice(2) }),
      () => ({ mac: 'not hexadecimal' }),
      () => ({ mac: '' }),
    ];
    for (const attempt of attempts) {
      const nonce = await nonceOf();
      const body = { nonce, username: 'alice', password, ...attempt(nonce) };
      expect(refusal(await post(body))).toEqual([403, 'M_FORBIDDEN']);
    }
  });

  it('refuses names, passwords and types that cannot be', async () => {
    const { nonceOf, signed, post, register } = await setUp();
    await register('taken');
    for (const [username, errcode] of [
      ['us,er', 'M_INVALID_USERNAME'],
      ['_server', 'M_INVALID_USERNAME'],
      ['', 'M_INVALID_USERNAME'],
      ['taken', 'M_USER_IN_USE'],
      ['nul\0', 'M_INVALID_PARAM'],
    ] as const) {
      const nonce = await nonceOf();
      expect(refusal(await post({ nonce, username, password, mac: signed(nonce, username) }))).toEqual([400, errcode]);
    }
    const nonce = await nonceOf();
    const robot = {
      nonce,
      username: 'a',
      password,
      user_type: 'robot',
      mac: signed(nonce, 'a', { userType: 'robot' }),
    };
    expect(refusal(await post(robot))).toEqual([400, 'M_INVALID_PARAM']);
    expect(refusal(await post({}))).toEqual([400, 'M_MISSING_PARAM']);
  });

  it('is not there without a shared secret', async () => {
    const { request } = await start({
      config: { registration: { ...accountsConfigOfTests.registration, sharedSecret: undefined } },
    });
    expect(refusal(await request('GET', synapsePath))).toEqual([400, 'M_UNKNOWN']);
    const body = { nonce: 'x', username: 'alice', password, mac: '00' };
    expect(refusal(await request('POST', synapsePath, { body }))).toEqual([400, 'M_UNKNOWN']);
  });

  it('lets the command line in by what the signing key signs, and not by the shared secret', async () => {
    const localServers = localServersOfTests();
    const secret = operatorSecret(localServers.signingKeyOf(localServers.main));
    const { nonceOf, signed, post, logIn } = await setUp(operatorPath, secret);
    const nonce = await nonceOf();
    const { json } = await post({
      nonce,
      username: 'root',
      password,
      admin: true,
      mac: signed(nonce, 'root', { isAdmin: true }),
    });
    expect(json).toEqual({ user_id: '@root:test' });
    await logIn('root');
    const other = await nonceOf();
    const mac = registrationMac(sharedSecretOfTests, {
      nonce: other,
      username: 'x',
      password,
      isAdmin: false,
      userType: undefined,
    });
    expect(refusal(await post({ nonce: other, username: 'x', password, mac }))).toEqual([403, 'M_FORBIDDEN']);
  });
});

describeOnBothEngines('administration of registration tokens over HTTP', (engine) => {
  const start = accountsOn(engine);
  const setUp = async () => {
    const server = await start();
    const user = await server.registerAdministrator('admin');
    const call = (method: string, path = '', body?: JsonObject, query?: Record<string, string>) =>
      server.request(method, tokensPath + path, {
        user,
        ...(body === undefined ? {} : { body }),
        ...(query === undefined ? {} : { query }),
      });
    return { ...server, call };
  };

  it('makes, lists, shows, changes and deletes them', async () => {
    const { call, ports } = await setUp();
    const expiryTime = ports.clock.nowMs() + 1000;
    const wanted = { token: 'abcd', uses_allowed: 3, expiry_time: expiryTime };
    const abcd = { ...wanted, pending: 0, completed: 0 };
    const created = await call('POST', '/new', wanted);
    expect([created.status, created.json]).toEqual([200, abcd]);
    const { json: random } = await call('POST', '/new', { length: 24 });
    expect(random).toEqual({
      token: expect.stringMatching(/^[A-Za-z0-9._~-]{24}$/) as string,
      uses_allowed: null,
      pending: 0,
      completed: 0,
      expiry_time: null,
    });
    expect((await call('POST', '/new', {})).json['token']).toMatch(/^[A-Za-z0-9._~-]{16}$/);
    expect((await call('GET')).json['registration_tokens']).toHaveLength(3);
    expect((await call('GET', '/abcd')).json).toEqual(abcd);

    await ports.advance(2000);
    expect((await call('GET', '', undefined, { valid: 'false' })).json).toEqual({ registration_tokens: [abcd] });
    expect((await call('GET', '', undefined, { valid: 'true' })).json['registration_tokens']).toHaveLength(2);
    expect((await call('PUT', '/abcd', { expiry_time: null })).json).toEqual({ ...abcd, expiry_time: null });
    expect((await call('PUT', '/abcd', { uses_allowed: null })).json).toEqual({
      ...abcd,
      expiry_time: null,
      uses_allowed: null,
    });
    expect((await call('PUT', '/abcd', {})).json).toMatchObject({ uses_allowed: null });
    expect((await call('DELETE', '/abcd')).json).toEqual({});
    expect(refusal(await call('GET', '/abcd'))).toEqual([404, 'M_NOT_FOUND']);
  });

  it('refuses what cannot be, and everybody who is no administrator', async () => {
    const { call, request, register, ports } = await setUp();
    await call('POST', '/new', { token: 'abcd' });
    const outcome = async (body: JsonObject) => refusal(await call('POST', '/new', body));
    expect(await outcome({ token: 'abcd' })).toEqual([400, 'M_INVALID_PARAM']);
    expect(await outcome({ token: '' })).toEqual([400, 'M_INVALID_PARAM']);
    expect(await outcome({ token: 'x'.repeat(65) })).toEqual([400, 'M_INVALID_PARAM']);
    expect(await outcome({ token: 'with space' })).toEqual([400, 'M_INVALID_PARAM']);
    expect(await outcome({ length: 0 })).toEqual([400, 'M_INVALID_PARAM']);
    expect(await outcome({ length: 65 })).toEqual([400, 'M_INVALID_PARAM']);
    expect(await outcome({ uses_allowed: -1 })).toEqual([400, 'M_INVALID_PARAM']);
    expect(await outcome({ uses_allowed: 1.5 })).toEqual([400, 'M_BAD_JSON']);
    expect(await outcome({ expiry_time: ports.clock.nowMs() - 1 })).toEqual([400, 'M_INVALID_PARAM']);
    expect(refusal(await call('PUT', '/abcd', { expiry_time: 1 }))).toEqual([400, 'M_INVALID_PARAM']);
    expect(refusal(await call('PUT', '/unknown', {}))).toEqual([404, 'M_NOT_FOUND']);
    expect(refusal(await call('DELETE', '/unknown'))).toEqual([404, 'M_NOT_FOUND']);
    expect(refusal(await call('GET', '', undefined, { valid: 'maybe' }))).toEqual([400, 'M_INVALID_PARAM']);
    const user = await register('alice');
    for (const [method, path] of [
      ['GET', ''],
      ['POST', '/new'],
      ['GET', '/abcd'],
      ['PUT', '/abcd'],
      ['DELETE', '/abcd'],
    ] as const) {
      const response = await request(method, tokensPath + path, { user, ...(method === 'GET' ? {} : { body: {} }) });
      expect(refusal(response)).toEqual([403, 'M_FORBIDDEN']);
    }
  });
});
