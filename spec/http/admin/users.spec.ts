import { expect, it } from 'vitest';
import type { JsonObject } from '../../../src/matrix/json/json-value.ts';
import { describeOnBothEngines } from '../../support/databases.ts';
import { accountsOn, passwordOfTests, refusal } from '../../support/test-accounts.ts';

const usersPath = '/_synapse/admin/v2/users';

describeOnBothEngines('administration of users over HTTP', (engine) => {
  const start = accountsOn(engine);
  const setUp = async () => {
    const server = await start();
    const admin = await server.registerAdministrator('admin');
    const put = (userId: string, body: JsonObject, user = admin) =>
      server.request('PUT', `${usersPath}/${userId}`, { user, body });
    const get = (userId: string, user = admin) => server.request('GET', `${usersPath}/${userId}`, { user });
    return { ...server, admin, put, get };
  };

  it('makes an account and shows it in the shape that admin tools know', async () => {
    const { put, get, logIn, ports } = await setUp();
    const created = await put('@alice:test', {
      password: passwordOfTests,
      displayname: 'Alice',
      avatar_url: 'mxc://test/alice',
      threepids: [{ medium: 'email', address: 'Alice@Example.org' }],
      admin: true,
      user_type: 'support',
    });
    expect(created.status).toBe(201);
    const nowMs = ports.clock.nowMs();
    expect(created.json).toEqual({
      name: '@alice:test',
      displayname: 'Alice',
      avatar_url: 'mxc://test/alice',
      threepids: [{ medium: 'email', address: 'alice@example.org', added_at: nowMs, validated_at: nowMs }],
      external_ids: [],
      is_guest: false,
      admin: true,
      deactivated: false,
      erased: false,
      shadow_banned: false,
      locked: false,
      suspended: false,
      creation_ts: nowMs / 1000,
      last_seen_ts: null,
      user_type: 'support',
      appservice_id: null,
      consent_server_notice_sent: null,
      consent_version: null,
      consent_ts: null,
    });
    await logIn('alice');
    expect((await get('@alice:test')).json).toEqual({ ...created.json, last_seen_ts: nowMs });
  });

  it('changes only what the request names', async () => {
    const { put, get, register, propagated } = await setUp();
    await register('alice');
    const before = (await get('@alice:test')).json;
    const changed = await put('@alice:test', { displayname: 'Alicia' });
    expect(changed.status).toBe(200);
    expect(changed.json).toEqual({ ...before, displayname: 'Alicia' });
    expect(propagated).toEqual([{ userId: '@alice:test', profile: { displayname: 'Alicia' } }]);
    expect((await put('@alice:test', { displayname: null, user_type: 'bot' })).json).toMatchObject({
      displayname: null,
      user_type: 'bot',
    });
    expect((await put('@alice:test', { user_type: null })).json).toMatchObject({ user_type: null });
  });

  it('changes a password and logs out, unless that is not wished', async () => {
    const { put, register, request, logIn } = await setUp();
    const alice = await register('alice');
    const whoami = async (user = alice) => (await request('GET', '/_matrix/client/v3/account/whoami', { user })).status;
    await put('@alice:test', { password: 'the second one', logout_devices: false });
    expect(await whoami()).toBe(200);
    await put('@alice:test', { password: 'the third one' });
    expect(await whoami()).toBe(401);
    expect(await whoami(await logIn('alice', { password: 'the third one' }))).toBe(200);
    expect(refusal(await put('@alice:test', { password: 'weak' }))).toEqual([400, 'M_WEAK_PASSWORD']);
  });

  it('makes administrators and takes that back, at once', async () => {
    const { put, get, register } = await setUp();
    const alice = await register('alice');
    expect(refusal(await get('@admin:test', alice))).toEqual([403, 'M_FORBIDDEN']);
    await put('@alice:test', { admin: true });
    expect((await get('@admin:test', alice)).status).toBe(200);
    expect(refusal(await put('@alice:test', { admin: false }, alice))).toEqual([400, 'M_UNKNOWN']);
    await put('@alice:test', { admin: false });
    expect(refusal(await get('@admin:test', alice))).toEqual([403, 'M_FORBIDDEN']);
  });

  it('locks, deactivates and brings back', async () => {
    const { put, register, request, logIn, departed } = await setUp();
    const alice = await register('alice');
    const whoami = () => request('GET', '/_matrix/client/v3/account/whoami', { user: alice });
    expect((await put('@alice:test', { locked: true })).json).toMatchObject({ locked: true });
    expect((await whoami()).json['errcode']).toBe('M_USER_LOCKED');
    expect((await put('@alice:test', { locked: false })).json).toMatchObject({ locked: false });
    expect((await whoami()).status).toBe(200);
    expect((await put('@alice:test', { deactivated: true })).json).toMatchObject({ deactivated: true });
    expect((await whoami()).json['errcode']).toBe('M_UNKNOWN_TOKEN');
    expect(departed).toEqual(['@alice:test']);
    expect(refusal(await put('@alice:test', { deactivated: false }))).toEqual([400, 'M_INVALID_PARAM']);
    const back = await put('@alice:test', { deactivated: false, password: 'a new beginning' });
    expect(back.json).toMatchObject({ deactivated: false });
    expect((await logIn('alice', { password: 'a new beginning' })).userId).toBe('@alice:test');
  });

  it('refuses what cannot be', async () => {
    const { put, get, register } = await setUp();
    const alice = await register('alice');
    await put('@alice:test', { threepids: [{ medium: 'email', address: 'a@b.c' }] });
    expect(refusal(await put('@bob:test', {}, alice))).toEqual([403, 'M_FORBIDDEN']);
    expect(refusal(await get('@nobody:test'))).toEqual([404, 'M_NOT_FOUND']);
    expect(refusal(await get('@alice:elsewhere.test'))).toEqual([400, 'M_INVALID_PARAM']);
    expect(refusal(await put('@alice:elsewhere.test', {}))).toEqual([400, 'M_INVALID_PARAM']);
    expect(refusal(await put('not an id', {}))).toEqual([400, 'M_INVALID_PARAM']);
    expect(refusal(await put('@Upper:test', {}))).toEqual([400, 'M_INVALID_USERNAME']);
    expect(refusal(await put('@_server:test', {}))).toEqual([400, 'M_INVALID_USERNAME']);
    expect(refusal(await put('@bob:test', { admin: 'yes' }))).toEqual([400, 'M_BAD_JSON']);
    expect(refusal(await put('@bob:test', { user_type: 'robot' }))).toEqual([400, 'M_INVALID_PARAM']);
    expect(refusal(await put('@bob:test', { threepids: [{ medium: 'email' }] }))).toEqual([400, 'M_MISSING_PARAM']);
    expect(refusal(await put('@bob:test', { threepids: [{ medium: 'fax', address: '1' }] }))).toEqual([
      400,
      'M_INVALID_PARAM',
    ]);
    expect(refusal(await put('@bob:test', { external_ids: [{ auth_provider: 'x', external_id: 'y' }] }))).toEqual([
      400,
      'M_INVALID_PARAM',
    ]);
    expect(refusal(await get('@bob:test'))).toEqual([404, 'M_NOT_FOUND']);
    const taken = await put('@admin:test', { threepids: [{ medium: 'email', address: 'A@B.c' }] });
    expect(refusal(taken)).toEqual([400, 'M_THREEPID_IN_USE']);
    expect((await get('@alice:test')).json['threepids']).toHaveLength(1);
  });

  it('works for every local server name', async () => {
    const { put } = await setUp();
    expect((await put('@alice:second.test', { password: passwordOfTests })).json).toMatchObject({
      name: '@alice:second.test',
    });
  });

  it('tells the version to everybody', async () => {
    const { request } = await setUp();
    expect((await request('GET', '/_synapse/admin/v1/server_version')).json).toEqual({
      server_version: '0.0.0 (veche)',
    });
  });
});
