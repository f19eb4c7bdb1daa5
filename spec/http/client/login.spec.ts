import { expect, it } from 'vitest';
import { limits } from '../../../src/platform/limits.ts';
import { describeOnBothEngines } from '../../support/databases.ts';
import { accountsOn, passwordAuth, passwordOfTests, refusal, sessionOf } from '../../support/test-accounts.ts';

const loginPath = '/_matrix/client/v3/login';
const whoamiPath = '/_matrix/client/v3/account/whoami';

describeOnBothEngines('login over HTTP', (engine) => {
  const start = accountsOn(engine);

  it('names its flows', async () => {
    const { request } = await start();
    expect((await request('GET', loginPath)).json).toEqual({
      flows: [{ type: 'm.login.password' }, { type: 'm.login.token', get_login_token: true }],
    });
  });

  it('takes a password with every form of identifier', async () => {
    const { request, register, registerAdministrator } = await start();
    const admin = await registerAdministrator('admin');
    await register('alice');
    const threepids = [
      { medium: 'email', address: 'Alice@Example.org' },
      { medium: 'msisdn', address: '447700900123' },
    ];
    const put = await request('PUT', '/_synapse/admin/v2/users/@alice:test', { user: admin, body: { threepids } });
    expect(put.status).toBe(200);
    const identifiers = [
      { identifier: { type: 'm.id.user', user: 'alice' } },
      { identifier: { type: 'm.id.user', user: '@alice:test' } },
      { identifier: { type: 'm.id.user', user: '@ALICE:test' } },
      { identifier: { type: 'm.id.thirdparty', medium: 'email', address: 'alice@example.ORG' } },
      { identifier: { type: 'm.id.thirdparty', medium: 'msisdn', address: '447700900123' } },
      { identifier: { type: 'm.id.phone', country: 'GB', phone: '07700 900-123' } },
      { identifier: { type: 'm.id.phone', country: 'US', phone: '+44 7700 900123' } },
      { identifier: { medium: 'email', address: 'alice@example.org' } },
      { user: 'alice' },
      { user: '@alice:test' },
      { medium: 'email', address: 'alice@example.org' },
    ];
    for (const identifier of identifiers) {
      const body = { type: 'm.login.password', password: passwordOfTests, ...identifier };
      expect((await request('POST', loginPath, { body })).json).toMatchObject({
        user_id: '@alice:test',
        home_server: 'test',
        device_id: expect.stringMatching(/^[A-Z]{10}$/) as string,
      });
    }
  });

  it('refuses wrong names and wrong passwords alike', async () => {
    const { request, register } = await start();
    await register('alice');
    const refused = async (user: string, password: string) =>
      request('POST', loginPath, { body: passwordAuth(user, password) });
    const wrongPassword = await refused('alice', 'wrong');
    expect(refusal(wrongPassword)).toEqual([403, 'M_FORBIDDEN']);
    for (const user of ['nobody', '@alice:elsewhere.test', '@alice:second.test', 'not an id', '@'])
      expect((await refused(user, passwordOfTests)).json).toEqual(wrongPassword.json);
    const unknownAddress = { type: 'm.login.password', password: 'x', medium: 'email', address: 'a@b.c' };
    expect(refusal(await request('POST', loginPath, { body: unknownAddress }))).toEqual([403, 'M_FORBIDDEN']);
  });

  it('tells malformed requests', async () => {
    const { request } = await start();
    const outcome = async (body: object) => refusal(await request('POST', loginPath, { body: body as never }));
    expect(await outcome({})).toEqual([400, 'M_MISSING_PARAM']);
    expect(await outcome({ type: 'm.login.unknown' })).toEqual([400, 'M_UNKNOWN']);
    expect(await outcome({ type: 'm.login.password', user: 'alice' })).toEqual([400, 'M_MISSING_PARAM']);
    expect(await outcome({ type: 'm.login.password', password: 'x' })).toEqual([400, 'M_MISSING_PARAM']);
    expect(await outcome({ type: 'm.login.password', user: 'alice', password: 7 })).toEqual([400, 'M_BAD_JSON']);
    expect(await outcome({ type: 'm.login.token' })).toEqual([400, 'M_MISSING_PARAM']);
    expect(await outcome({ ...passwordAuth('alice'), device_id: 'x'.repeat(300) })).toEqual([400, 'M_INVALID_PARAM']);
    expect(await outcome({ ...passwordAuth('alice'), refresh_token: 'yes' })).toEqual([400, 'M_BAD_JSON']);
  });

  it('uses a device again: its name stays, its earlier tokens do not', async () => {
    const { request, register, logIn } = await start();
    const alice = await register('alice');
    const first = await logIn('alice', { device_id: 'phone', initial_device_display_name: 'Phone' });
    const second = await logIn('alice', { device_id: 'phone', initial_device_display_name: 'Other' });
    expect([first.deviceId, second.deviceId]).toEqual(['phone', 'phone']);
    expect(refusal(await request('GET', whoamiPath, { user: first }))).toEqual([401, 'M_UNKNOWN_TOKEN']);
    const { json } = await request('GET', '/_matrix/client/v3/devices/phone', { user: second });
    expect(json).toMatchObject({ device_id: 'phone', display_name: 'Phone' });
    expect((await request('GET', whoamiPath, { user: alice })).status).toBe(200);
  });

  it('makes one device of many logins at once', async () => {
    const { request, register, logIn } = await start();
    const alice = await register('alice');
    const sessions = await Promise.all(Array.from({ length: 5 }, () => logIn('alice', { device_id: 'phone' })));
    const answers = await Promise.all(sessions.map((user) => request('GET', whoamiPath, { user })));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    const { json } = await request('GET', '/_matrix/client/v3/devices', { user: alice });
    expect(json['devices']).toHaveLength(2);
  });

  it('renews a password hash that was made at another cost', async () => {
    const { accounts, db, register, logIn } = await start();
    await register('alice');
    await accounts.close();
    const dearer = await start({
      db,
      config: { password: { minimumLength: 8, argon2: { memoryKib: 16, passes: 1 } } },
    });
    const hashOf = async () =>
      (await db.dynamic((q) => q.selectFrom('account').select('password_hash'))).map((row) => row.password_hash);
    expect(await hashOf()).toEqual([expect.stringContaining('m=8,')]);
    await dearer.logIn('alice');
    expect(await hashOf()).toEqual([expect.stringContaining('m=16,')]);
    await logIn('alice');
  });

  it('lasts over a restart', async () => {
    const db = await engine.open({ reopenable: true });
    const { accounts, register } = await start({ db });
    const alice = await register('alice');
    await accounts.close();
    const { request } = await start({ db: await engine.reopen(db) });
    const { status, json } = await request('GET', whoamiPath, { user: alice });
    expect([status, json]).toEqual([200, { user_id: '@alice:test', device_id: alice.deviceId, is_guest: false }]);
  });
});

describeOnBothEngines('login tokens over HTTP', (engine) => {
  const start = accountsOn(engine);
  const tokenPath = '/_matrix/client/v1/login/get_token';

  it('serve one login each, after the password was given for each', async () => {
    const { request, register } = await start();
    const alice = await register('alice');
    const asked = await request('POST', tokenPath, { user: alice, body: {} });
    expect(asked.status).toBe(401);
    expect(asked.json).toMatchObject({ flows: [{ stages: ['m.login.password'] }] });
    const auth = { ...passwordAuth('alice'), session: asked.json['session'] };
    const { json } = await request('POST', tokenPath, { user: alice, body: { auth } });
    expect(json).toEqual({ login_token: expect.stringMatching(/^vcl_/) as string, expires_in_ms: 120_000 });
    expect((await request('POST', tokenPath, { user: alice, body: { auth } })).status).toBe(401);

    const body = { type: 'm.login.token', token: json['login_token'] };
    const logins = await Promise.all([1, 2, 3].map(() => request('POST', loginPath, { body })));
    const done = logins.filter(({ status }) => status === 200);
    expect(done).toHaveLength(1);
    expect(done[0]?.json).toMatchObject({ user_id: '@alice:test' });
    expect(done[0]?.json['device_id']).not.toBe(alice.deviceId);
    for (const refused of logins.filter(({ status }) => status !== 200))
      expect(refusal(refused)).toEqual([403, 'M_FORBIDDEN']);
  });

  it('expire', async () => {
    const { request, register, ports } = await start();
    const alice = await register('alice');
    const { json } = await request('POST', tokenPath, { user: alice, body: { auth: passwordAuth('alice') } });
    await ports.advance(limits.loginTokenMs);
    const body = { type: 'm.login.token', token: json['login_token'] };
    expect(refusal(await request('POST', loginPath, { body }))).toEqual([403, 'M_FORBIDDEN']);
  });

  it('are refused when they are no such tokens', async () => {
    const { request, register } = await start();
    const alice = await register('alice');
    for (const token of ['', 'garbage', alice.token])
      expect(refusal(await request('POST', loginPath, { body: { type: 'm.login.token', token } }))).toEqual([
        403,
        'M_FORBIDDEN',
      ]);
  });
});

describeOnBothEngines('refreshing over HTTP', (engine) => {
  const start = accountsOn(engine);
  const setUp = async () => {
    const started = await start();
    const { request } = started;
    await started.register('alice');
    const { json } = await request('POST', loginPath, { body: { ...passwordAuth('alice'), refresh_token: true } });
    const refresh = (token: unknown) =>
      request('POST', '/_matrix/client/v3/refresh', { body: { refresh_token: token as string } });
    const whoami = async (token: unknown) =>
      refusal(await request('GET', whoamiPath, { user: { token: token as string } }));
    return { ...started, refresh, whoami, access: json['access_token'], refreshToken: json['refresh_token'] };
  };
  const works = [200, undefined];
  const unknown = [401, 'M_UNKNOWN_TOKEN'];

  it('gives new tokens for the same device; the old ones go with the first use of the new access token', async () => {
    const { refresh, whoami, access, refreshToken, request } = await setUp();
    const { status, json } = await refresh(refreshToken);
    expect(status).toBe(200);
    expect(json).toEqual({
      access_token: expect.stringMatching(/^vca_/) as string,
      refresh_token: expect.stringMatching(/^vcr_/) as string,
      expires_in_ms: limits.accessTokenMs,
    });
    expect(await whoami(access)).toEqual(works);
    expect(await whoami(json['access_token'])).toEqual(works);
    expect(await whoami(access)).toEqual(unknown);
    expect(refusal(await refresh(refreshToken))).toEqual(unknown);
    const again = await refresh(json['refresh_token']);
    const { json: devices } = await request('GET', '/_matrix/client/v3/devices', { user: sessionOf(again) });
    expect(devices['devices']).toHaveLength(2);
  });

  it('can be repeated by a client that never got the answer, as often as it takes', async () => {
    const { refresh, whoami, refreshToken } = await setUp();
    const lost = await refresh(refreshToken);
    const alsoLost = await refresh(refreshToken);
    const received = await refresh(refreshToken);
    expect(await whoami(received.json['access_token'])).toEqual(works);
    for (const { json } of [lost, alsoLost]) {
      expect(await whoami(json['access_token'])).toEqual(unknown);
      expect(refusal(await refresh(json['refresh_token']))).toEqual(unknown);
    }
  });

  it('revokes the old refresh token also when the new one is used first', async () => {
    const { refresh, whoami, refreshToken } = await setUp();
    const first = await refresh(refreshToken);
    const second = await refresh(first.json['refresh_token']);
    expect(refusal(await refresh(refreshToken))).toEqual(unknown);
    expect(await whoami(second.json['access_token'])).toEqual(works);
    expect(refusal(await refresh(first.json['refresh_token']))).toEqual(unknown);
    expect(await whoami((await refresh(second.json['refresh_token'])).json['access_token'])).toEqual(works);
  });

  it('leaves exactly one valid session when many refresh and use at once', async () => {
    const { refresh, whoami, refreshToken } = await setUp();
    const answers = await Promise.all(
      Array.from({ length: 6 }, async () => {
        const { json } = await refresh(refreshToken);
        return json['access_token'] === undefined
          ? undefined
          : { token: json['access_token'], used: await whoami(json['access_token']) };
      }),
    );
    const tokens = answers.flatMap((answer) => (answer === undefined ? [] : [answer.token]));
    const outcomes = await Promise.all(tokens.map((token) => whoami(token)));
    expect(outcomes.filter(([status]) => status === 200)).toHaveLength(1);
  });

  it('logs out softly when an access token has expired, and goes on with the refresh token', async () => {
    const { refresh, whoami, access, refreshToken, request, ports } = await setUp();
    await ports.advance(limits.accessTokenMs);
    const expired = await request('GET', whoamiPath, { user: { token: access as string } });
    expect(expired.status).toBe(401);
    expect(expired.json).toMatchObject({ errcode: 'M_UNKNOWN_TOKEN', soft_logout: true });
    expect(await whoami((await refresh(refreshToken)).json['access_token'])).toEqual(works);
  });

  it('does not let tokens of clients that cannot refresh expire', async () => {
    const { logIn, request, ports } = await setUp();
    const user = await logIn('alice');
    await ports.advance(365 * 24 * 3_600_000);
    expect((await request('GET', whoamiPath, { user })).status).toBe(200);
  });

  it('refuses what is no refresh token, without soft logout', async () => {
    const { refresh, access, request } = await setUp();
    for (const token of [access, 'garbage', '']) {
      const { status, json } = await refresh(token);
      expect([status, json]).toEqual([
        401,
        expect.objectContaining({ errcode: 'M_UNKNOWN_TOKEN', soft_logout: false }),
      ]);
    }
    expect(refusal(await request('POST', '/_matrix/client/v3/refresh', { body: {} }))).toEqual([
      400,
      'M_MISSING_PARAM',
    ]);
  });

  it('ends with the device', async () => {
    const { refresh, access, refreshToken, request } = await setUp();
    await request('POST', '/_matrix/client/v3/logout', { user: { token: access as string } });
    expect(refusal(await refresh(refreshToken))).toEqual(unknown);
  });
});

describeOnBothEngines('logging out over HTTP', (engine) => {
  const start = accountsOn(engine);

  it('ends one session with its device', async () => {
    const { request, register, logIn, wakes } = await start();
    const alice = await register('alice');
    const other = await logIn('alice');
    expect((await request('POST', '/_matrix/client/v3/logout', { user: other })).json).toEqual({});
    const { status, json } = await request('GET', whoamiPath, { user: other });
    expect([status, json]).toEqual([401, expect.objectContaining({ errcode: 'M_UNKNOWN_TOKEN', soft_logout: false })]);
    const devices = await request('GET', '/_matrix/client/v3/devices', { user: alice });
    expect(devices.json['devices']).toEqual([expect.objectContaining({ device_id: alice.deviceId })]);
    expect(wakes).toContainEqual(
      expect.objectContaining({ kind: 'device', deviceId: other.deviceId, change: 'removed' }),
    );
  });

  it('ends all sessions', async () => {
    const { request, register, logIn } = await start();
    const sessions = [await register('alice'), await logIn('alice'), await logIn('alice')];
    const bob = await register('bob');
    await request('POST', '/_matrix/client/v3/logout/all', { user: sessions[0]! });
    for (const user of sessions)
      expect(refusal(await request('GET', whoamiPath, { user }))).toEqual([401, 'M_UNKNOWN_TOKEN']);
    expect((await request('GET', whoamiPath, { user: bob })).status).toBe(200);
    const again = await logIn('alice');
    const { json } = await request('GET', '/_matrix/client/v3/devices', { user: again });
    expect(json['devices']).toHaveLength(1);
  });

  it('needs a token that is known', async () => {
    const { request, register } = await start();
    const { token } = await register('alice');
    expect(refusal(await request('POST', '/_matrix/client/v3/logout'))).toEqual([401, 'M_MISSING_TOKEN']);
    for (const altered of ['invalidAccessToken', `${token.slice(0, -1)}${token.endsWith('A') ? 'B' : 'A'}`])
      expect(refusal(await request('POST', '/_matrix/client/v3/logout', { user: { token: altered } }))).toEqual([
        401,
        'M_UNKNOWN_TOKEN',
      ]);
  });
});
