import { expect, it } from 'vitest';
import type { JsonValue } from '../../../src/matrix/json/json-value.ts';
import { describeOnBothEngines } from '../../support/databases.ts';
import { accountsOn, refusal } from '../../support/test-accounts.ts';

const profilePath = '/_matrix/client/v3/profile/@alice:test';

describeOnBothEngines('profiles over HTTP', (engine) => {
  const start = accountsOn(engine);
  const setUp = async () => {
    const server = await start();
    const alice = await server.register('alice');
    const put = (name: string, value: JsonValue, user = alice) =>
      server.request('PUT', `${profilePath}/${name}`, { user, body: { [name]: value } });
    const get = async (name = '') => (await server.request('GET', profilePath + (name && `/${name}`))).json;
    return { ...server, alice, put, get };
  };

  it('have a display name and an avatar, which the rooms are told of', async () => {
    const { put, get, propagated, wakes } = await setUp();
    const before = wakes.length;
    expect((await put('displayname', 'Alice Margatroid')).json).toEqual({});
    expect((await put('avatar_url', 'mxc://test/abc')).json).toEqual({});
    expect(await get()).toEqual({ displayname: 'Alice Margatroid', avatar_url: 'mxc://test/abc' });
    expect(await get('displayname')).toEqual({ displayname: 'Alice Margatroid' });
    expect(await get('avatar_url')).toEqual({ avatar_url: 'mxc://test/abc' });
    expect(propagated).toEqual([
      { userId: '@alice:test', profile: { displayname: 'Alice Margatroid' } },
      { userId: '@alice:test', profile: { displayname: 'Alice Margatroid', avatar_url: 'mxc://test/abc' } },
    ]);
    expect(wakes.slice(before).filter(({ kind }) => kind === 'profile')).toHaveLength(2);
  });

  it('tell nobody of what did not change', async () => {
    const { put, propagated, wakes } = await setUp();
    const before = wakes.length;
    await put('displayname', 'alice');
    expect(propagated).toEqual([]);
    expect(wakes.slice(before).filter(({ kind }) => kind === 'profile')).toEqual([]);
  });

  it('lose a name or an avatar that is deleted or emptied', async () => {
    const { put, get, request, alice, propagated } = await setUp();
    await put('avatar_url', 'mxc://test/abc');
    expect((await put('displayname', '')).status).toBe(200);
    expect((await request('DELETE', `${profilePath}/avatar_url`, { user: alice })).json).toEqual({});
    expect((await request('DELETE', `${profilePath}/avatar_url`, { user: alice })).json).toEqual({});
    expect(await get()).toEqual({});
    expect(propagated.at(-1)).toEqual({ userId: '@alice:test', profile: {} });
    expect(await get('displayname')).toMatchObject({ errcode: 'M_NOT_FOUND' });
  });

  it('have further fields of any kind, which the rooms are not told of', async () => {
    const { put, get, propagated, request, alice } = await setUp();
    const values: Record<string, JsonValue> = {
      'm.tz': 'Europe/London',
      'org.example.colour': { hue: 0.5 },
      'org.example.null': null,
      'org.example.empty': '',
      'org.example.list': [1, 'two', false],
    };
    for (const [name, value] of Object.entries(values)) expect((await put(name, value)).status).toBe(200);
    expect(await get()).toEqual({ displayname: 'alice', ...values });
    expect(await get('org.example.null')).toEqual({ 'org.example.null': null });
    await request('DELETE', `${profilePath}/m.tz`, { user: alice });
    expect(await get('m.tz')).toMatchObject({ errcode: 'M_NOT_FOUND' });
    expect(propagated).toEqual([]);
  });

  it('refuse keys and values that cannot be', async () => {
    const { put, request, alice } = await setUp();
    expect(refusal(await put('Upper.Case', 1))).toEqual([400, 'M_INVALID_PARAM']);
    expect(refusal(await put('plain', 1))).toEqual([400, 'M_INVALID_PARAM']);
    expect(refusal(await put(`org.${'x'.repeat(252)}`, 1))).toEqual([400, 'M_KEY_TOO_LARGE']);
    expect(refusal(await request('DELETE', `${profilePath}/Upper.Case`, { user: alice }))).toEqual([
      400,
      'M_INVALID_PARAM',
    ]);
    expect(refusal(await put('displayname', 7))).toEqual([400, 'M_BAD_JSON']);
    expect(refusal(await put('avatar_url', {}))).toEqual([400, 'M_BAD_JSON']);
    expect(refusal(await put('m.tz', 3))).toEqual([400, 'M_BAD_JSON']);
    expect(refusal(await put('displayname', 'x'.repeat(257)))).toEqual([400, 'M_INVALID_PARAM']);
    expect(refusal(await put('avatar_url', `mxc://${'x'.repeat(1000)}`))).toEqual([400, 'M_INVALID_PARAM']);
    const other = await request('PUT', `${profilePath}/displayname`, { user: alice, body: { avatar_url: 'x' } });
    expect(refusal(other)).toEqual([400, 'M_MISSING_PARAM']);
    const list = await request('PUT', `${profilePath}/displayname`, { user: alice, body: [] });
    expect(refusal(list)).toEqual([400, 'M_BAD_JSON']);
  });

  it('stay below 64 KiB altogether', async () => {
    const { put, get } = await setUp();
    expect((await put('org.example.a', 'x'.repeat(40_000))).status).toBe(200);
    expect(refusal(await put('org.example.b', 'x'.repeat(40_000)))).toEqual([400, 'M_PROFILE_TOO_LARGE']);
    expect(await get()).not.toHaveProperty(['org.example.b']);
    expect((await put('org.example.a', 'x'.repeat(50_000))).status).toBe(200);
  });

  it('belong to their users, and administrators may change them', async () => {
    const { put, request, register, registerAdministrator, propagated } = await setUp();
    expect(refusal(await put('displayname', 'Mallory', await register('mallory')))).toEqual([403, 'M_FORBIDDEN']);
    expect(refusal(await request('PUT', `${profilePath}/displayname`, { body: {} }))).toEqual([401, 'M_MISSING_TOKEN']);
    expect((await put('displayname', 'Alicia', await registerAdministrator('admin'))).status).toBe(200);
    expect(propagated).toEqual([{ userId: '@alice:test', profile: { displayname: 'Alicia' } }]);
  });

  it('have no fields that nobody set, whatever JavaScript calls its own', async () => {
    const { request } = await setUp();
    for (const name of ['constructor', 'toString', '__proto__', 'hasOwnProperty'])
      expect(refusal(await request('GET', `${profilePath}/${name}`))).toEqual([404, 'M_NOT_FOUND']);
  });

  it('are not there for who is not', async () => {
    const { request } = await setUp();
    const path = '/_matrix/client/v3/profile';
    for (const userId of ['@nobody:test', '@alice:elsewhere.test', '@alice:second.test']) {
      expect(refusal(await request('GET', `${path}/${userId}`))).toEqual([404, 'M_NOT_FOUND']);
      expect(refusal(await request('GET', `${path}/${userId}/displayname`))).toEqual([404, 'M_NOT_FOUND']);
    }
    expect(refusal(await request('GET', `${path}/nobody`))).toEqual([400, 'M_INVALID_PARAM']);
  });
});
