import { expect, it } from 'vitest';
import type { JsonObject } from '../../../src/matrix/json/json-value.ts';
import { describeOnBothEngines } from '../../support/databases.ts';
import {
  accountsOn,
  passwordAuth,
  passwordOfTests,
  refusal,
  type TestAccounts,
  type TestUser,
} from '../../support/test-accounts.ts';

const whoamiPath = '/_matrix/client/v3/account/whoami';
const newPassword = 'an other password';
const whoami = async ({ request }: TestAccounts, user: TestUser) => refusal(await request('GET', whoamiPath, { user }));
const works = [200, undefined];
const unknown = [401, 'M_UNKNOWN_TOKEN'];

describeOnBothEngines('changing the password over HTTP', (engine) => {
  const start = accountsOn(engine);
  const path = '/_matrix/client/v3/account/password';

  it('asks for the old password, logs other devices out and keeps this one', async () => {
    const server = await start();
    const { request, register, logIn } = server;
    const alice = await register('alice');
    const other = await logIn('alice');
    const asked = await request('POST', path, { user: alice, body: { new_password: newPassword } });
    expect(asked.status).toBe(401);
    expect(asked.json).toMatchObject({ flows: [{ stages: ['m.login.password'] }], params: {} });
    const auth = { ...passwordAuth('@alice:test'), session: asked.json['session'] };
    const done = await request('POST', path, { user: alice, body: { new_password: newPassword, auth } });
    expect([done.status, done.json]).toEqual([200, {}]);
    expect(await whoami(server, alice)).toEqual(works);
    expect(await whoami(server, other)).toEqual(unknown);
    await expect(logIn('alice')).rejects.toThrow('M_FORBIDDEN');
    expect((await logIn('alice', { password: newPassword })).userId).toBe('@alice:test');
  });

  it('leaves other devices alone where that is wished', async () => {
    const server = await start();
    const alice = await server.register('alice');
    const other = await server.logIn('alice');
    const body = { new_password: newPassword, logout_devices: false, auth: passwordAuth('alice') };
    expect((await server.request('POST', path, { user: alice, body })).status).toBe(200);
    expect(await whoami(server, other)).toEqual(works);
  });

  it('works without a session for whoever knows the old password', async () => {
    const server = await start();
    const alice = await server.register('alice');
    const body = { new_password: newPassword, auth: passwordAuth('alice') };
    expect((await server.request('POST', path, { body })).status).toBe(200);
    expect(await whoami(server, alice)).toEqual(unknown);
    await server.logIn('alice', { password: newPassword });
  });

  it('refuses a wrong password, that of another, a weak one, and an unknown token', async () => {
    const server = await start();
    const { request } = server;
    const alice = await server.register('alice');
    await server.register('bob', { password: 'the password of bob' });
    const attempt = async (body: JsonObject, user: { token: string } = alice) =>
      refusal(await request('POST', path, { user, body }));
    const withAuth = (auth: JsonObject) => ({ new_password: newPassword, auth });
    expect(await attempt(withAuth(passwordAuth('alice', 'wrong')))).toEqual([401, 'M_FORBIDDEN']);
    expect(await attempt(withAuth(passwordAuth('bob', 'the password of bob')))).toEqual([403, 'M_FORBIDDEN']);
    expect(await attempt({ new_password: 'weak', auth: passwordAuth('alice') })).toEqual([400, 'M_WEAK_PASSWORD']);
    expect(await attempt({ auth: passwordAuth('alice') })).toEqual([400, 'M_MISSING_PARAM']);
    expect(await attempt({ new_password: 7 })).toEqual([400, 'M_BAD_JSON']);
    expect(await attempt(withAuth(passwordAuth('alice')), { token: 'x' })).toEqual(unknown);
    await server.logIn('alice');
  });

  it('does not let a password be proven for one request and used for another', async () => {
    const { request, register } = await start();
    const alice = await register('alice');
    const { json } = await request('POST', path, { user: alice, body: { new_password: newPassword } });
    const auth = { ...passwordAuth('alice'), session: json['session'] };
    const deactivation = await request('POST', '/_matrix/client/v3/account/deactivate', {
      user: alice,
      body: { auth },
    });
    expect(refusal(deactivation)).toEqual([403, 'M_FORBIDDEN']);
  });
});

describeOnBothEngines('deactivating over HTTP', (engine) => {
  const start = accountsOn(engine);
  const path = '/_matrix/client/v3/account/deactivate';

  it('ends sessions, password and addresses, leaves the rooms and keeps the name taken', async () => {
    const server = await start();
    const { request, register, departed, wakes } = server;
    const admin = await server.registerAdministrator('admin');
    const alice = await register('alice');
    const threepids = [{ medium: 'email', address: 'alice@example.org' }];
    await request('PUT', '/_synapse/admin/v2/users/@alice:test', { user: admin, body: { threepids } });

    const asked = await request('POST', path, { user: alice, body: {} });
    expect(asked.status).toBe(401);
    const wrong = await request('POST', path, { user: alice, body: { auth: passwordAuth('alice', 'wrong') } });
    expect(refusal(wrong)).toEqual([401, 'M_FORBIDDEN']);
    expect(departed).toEqual([]);
    const done = await request('POST', path, { user: alice, body: { auth: passwordAuth('alice') } });
    expect([done.status, done.json]).toEqual([200, { id_server_unbind_result: 'success' }]);

    expect(departed).toEqual(['@alice:test']);
    expect(wakes).toContainEqual(expect.objectContaining({ kind: 'account', isActive: false }));
    expect(await whoami(server, alice)).toEqual(unknown);
    await expect(server.logIn('alice')).rejects.toThrow('403');
    await expect(register('alice')).rejects.toThrow('M_USER_IN_USE');
    const byMail = {
      type: 'm.login.password',
      password: passwordOfTests,
      medium: 'email',
      address: 'alice@example.org',
    };
    expect(refusal(await request('POST', '/_matrix/client/v3/login', { body: byMail }))).toEqual([403, 'M_FORBIDDEN']);
    const { json } = await request('GET', '/_synapse/admin/v2/users/@alice:test', { user: admin });
    expect(json).toMatchObject({ deactivated: true, erased: false, threepids: [], displayname: 'alice' });
  });

  it('erases the profile and everything else that is not an event where that is wished', async () => {
    const server = await start();
    const { request, departed, db } = server;
    const alice = await server.register('alice');
    await request('PUT', '/_matrix/client/v3/user/@alice:test/account_data/org.example.a', {
      user: alice,
      body: { a: 1 },
    });
    await request('POST', '/_matrix/client/v3/user/@alice:test/filter', { user: alice, body: {} });
    await request('PUT', '/_matrix/client/v3/pushrules/global/room/!r:test', { user: alice, body: { actions: [] } });
    const body = { erase: true, auth: passwordAuth('alice') };
    expect((await request('POST', path, { user: alice, body })).status).toBe(200);
    expect(departed).toEqual(['@alice:test']);
    expect(refusal(await request('GET', '/_matrix/client/v3/profile/@alice:test'))).toEqual([404, 'M_NOT_FOUND']);
    for (const table of [
      'profile_field',
      'account_data',
      'filter',
      'user_push_ruleset',
      'device',
      'access_token',
    ] as const)
      expect(await db.dynamic((q) => q.selectFrom(table).selectAll())).toEqual([]);
  });

  it('works without a session for whoever knows the password', async () => {
    const server = await start();
    const alice = await server.register('alice');
    const body = { auth: passwordAuth('alice') };
    expect((await server.request('POST', path, { body })).status).toBe(200);
    expect(await whoami(server, alice)).toEqual(unknown);
  });
});

describeOnBothEngines('locked and suspended accounts over HTTP', (engine) => {
  const start = accountsOn(engine);
  const setUp = async () => {
    const server = await start();
    const admin = await server.registerAdministrator('admin');
    const alice = await server.register('alice');
    const put = (kind: 'lock' | 'suspend', body: JsonObject, options: { user?: TestUser; userId?: string } = {}) =>
      server.request('PUT', `/_matrix/client/v1/admin/${kind}/${options.userId ?? '@alice:test'}`, {
        user: options.user ?? admin,
        body,
      });
    return { ...server, server, admin, alice, put };
  };

  it('a locked account can only log out, and works again when it is unlocked', async () => {
    const { server, request, admin, alice, put, logIn } = await setUp();
    const other = await logIn('alice');
    expect((await put('lock', { locked: true })).json).toEqual({ locked: true });
    const { json } = await request('GET', '/_matrix/client/v1/admin/lock/@alice:test', { user: admin });
    expect(json).toEqual({ locked: true });
    const refused = await request('GET', whoamiPath, { user: alice });
    expect(refused.status).toBe(401);
    expect(refused.json).toMatchObject({ errcode: 'M_USER_LOCKED', soft_logout: true });
    await expect(logIn('alice')).rejects.toThrow('M_USER_LOCKED');
    expect((await request('POST', '/_matrix/client/v3/logout', { user: other })).status).toBe(200);
    await put('lock', { locked: false });
    expect(await whoami(server, alice)).toEqual(works);
    expect(await whoami(server, other)).toEqual(unknown);
  });

  it('a suspended account logs in and reads, and does not change its profile', async () => {
    const { request, admin, alice, put, logIn } = await setUp();
    expect((await put('suspend', { suspended: true })).json).toEqual({ suspended: true });
    expect((await request('GET', '/_matrix/client/v1/admin/suspend/@alice:test', { user: admin })).json).toEqual({
      suspended: true,
    });
    const again = await logIn('alice');
    expect((await request('GET', '/_matrix/client/v3/devices', { user: again })).status).toBe(200);
    for (const user of [alice, again]) {
      const path = '/_matrix/client/v3/profile/@alice:test/displayname';
      const put = await request('PUT', path, { user, body: { displayname: 'A' } });
      expect(refusal(put)).toEqual([403, 'M_USER_SUSPENDED']);
      expect(refusal(await request('DELETE', path, { user }))).toEqual([403, 'M_USER_SUSPENDED']);
    }
    await put('suspend', { suspended: false });
    const path = '/_matrix/client/v3/profile/@alice:test/displayname';
    expect((await request('PUT', path, { user: alice, body: { displayname: 'A' } })).status).toBe(200);
  });

  it('only administrators lock and suspend, and neither themselves nor each other', async () => {
    const { request, admin, alice, put } = await setUp();
    await request('PUT', '/_synapse/admin/v2/users/@second:test', { user: admin, body: { admin: true } });
    for (const [kind, body] of [
      ['lock', { locked: true }],
      ['suspend', { suspended: true }],
    ] as const) {
      expect(refusal(await put(kind, body, { user: alice, userId: '@nobody:test' }))).toEqual([403, 'M_FORBIDDEN']);
      expect(refusal(await put(kind, body, { userId: '@admin:test' }))).toEqual([403, 'M_FORBIDDEN']);
      expect(refusal(await put(kind, body, { userId: '@second:test' }))).toEqual([403, 'M_FORBIDDEN']);
      expect(refusal(await put(kind, body, { userId: '@nobody:test' }))).toEqual([404, 'M_NOT_FOUND']);
      expect(refusal(await put(kind, body, { userId: '@alice:elsewhere.test' }))).toEqual([400, 'M_INVALID_PARAM']);
      expect(refusal(await put(kind, {}))).toEqual([400, 'M_MISSING_PARAM']);
      const path = `/_matrix/client/v1/admin/${kind}/@alice:test`;
      expect(refusal(await request('GET', path, { user: alice }))).toEqual([403, 'M_FORBIDDEN']);
    }
  });

  it('tells who is who to administrators and to people about themselves', async () => {
    const { request, admin, alice } = await setUp();
    const path = '/_matrix/client/v3/admin/whois/@alice:test';
    const own = await request('GET', path, { user: alice });
    expect(own.json).toEqual({
      user_id: '@alice:test',
      devices: {
        [alice.deviceId]: {
          sessions: [
            {
              connections: [
                { ip: '127.0.0.1', last_seen: expect.any(Number) as number, user_agent: expect.any(String) as string },
              ],
            },
          ],
        },
      },
    });
    expect((await request('GET', '/_synapse/admin/v1/whois/@alice:test', { user: admin })).json).toEqual(own.json);
    expect(refusal(await request('GET', '/_matrix/client/v3/admin/whois/@admin:test', { user: alice }))).toEqual([
      403,
      'M_FORBIDDEN',
    ]);
  });
});

describeOnBothEngines('what an account can do and has, over HTTP', (engine) => {
  const start = accountsOn(engine);

  it('capabilities', async () => {
    const { request, register, registerAdministrator } = await start();
    const alice = await register('alice');
    const path = '/_matrix/client/v3/capabilities';
    expect(refusal(await request('GET', path))).toEqual([401, 'M_MISSING_TOKEN']);
    const { json } = await request('GET', path, { user: alice });
    const delayedEvents = { max_delay_ms: 86_400_000, max_scheduled: 100 };
    expect(json['capabilities']).toEqual({
      'm.room_versions': {
        default: '12',
        available: {
          ...Object.fromEntries(Array.from({ length: 12 }, (_, index) => [String(index + 1), 'stable'])),
          'org.matrix.msc3757.10': 'unstable',
        },
      },
      'm.change_password': { enabled: true },
      'm.set_displayname': { enabled: true },
      'm.set_avatar_url': { enabled: true },
      'm.profile_fields': { enabled: true },
      'm.3pid_changes': { enabled: true },
      'm.get_login_token': { enabled: true },
      'm.forget_forced_upon_leave': { enabled: false },
      'm.delayed_events': delayedEvents,
      'org.matrix.msc4140.delayed_events': delayedEvents,
      'io.element.msc4452.preview_url': { enabled: true },
    });
    const admin = await request('GET', path, { user: await registerAdministrator('admin') });
    expect(admin.json['capabilities']).toMatchObject({ 'm.account_moderation': { suspend: true, lock: true } });
  });

  it('addresses', async () => {
    const { request, register, registerAdministrator, ports } = await start();
    const admin = await registerAdministrator('admin');
    const alice = await register('alice');
    const path = '/_matrix/client/v3/account/3pid';
    expect((await request('GET', path, { user: alice })).json).toEqual({ threepids: [] });
    const threepids = [{ medium: 'email', address: 'alice@example.org' }];
    await request('PUT', '/_synapse/admin/v2/users/@alice:test', { user: admin, body: { threepids } });
    const nowMs = ports.clock.nowMs();
    expect((await request('GET', path, { user: alice })).json).toEqual({
      threepids: [{ medium: 'email', address: 'alice@example.org', added_at: nowMs, validated_at: nowMs }],
    });
  });
});
