import { expect, it } from 'vitest';
import { limits } from '../../../src/platform/limits.ts';
import type { Wake } from '../../../src/storage/database.ts';
import { insertFilter } from '../../../src/storage/stores/filter-store.ts';
import { insertRoom } from '../../../src/storage/stores/room-graph-store.ts';
import { describeOnBothEngines } from '../../support/databases.ts';
import { accountsOn, refusal } from '../../support/test-accounts.ts';

const ofAlice = '/_matrix/client/v3/user/@alice:test';
const room = '!room:test';

describeOnBothEngines('account data over HTTP', (engine) => {
  const start = accountsOn(engine);
  const setUp = async () => {
    const server = await start();
    const alice = await server.register('alice');
    await server.db.write((unit) => unit.run(insertRoom, { room: 7, roomId: room, version: '12', mainLine: 1 }))
      .committed;
    const put = (path: string, body: object) =>
      server.request('PUT', ofAlice + path, { user: alice, body: body as never });
    const get = (path: string) => server.request('GET', ofAlice + path, { user: alice });
    const changes = (): Wake[] => server.wakes.filter(({ kind }) => kind === 'account-data');
    return { ...server, alice, put, get, changes };
  };

  it('is kept globally and per room, without one for the other', async () => {
    const { put, get, changes } = await setUp();
    for (const value of ['first', 'second']) {
      expect((await put('/account_data/test.key', { value })).json).toEqual({});
      expect((await get('/account_data/test.key')).json).toEqual({ value });
    }
    expect(refusal(await get(`/rooms/${room}/account_data/test.key`))).toEqual([404, 'M_NOT_FOUND']);
    expect((await put(`/rooms/${room}/account_data/test.key`, { value: 0.5 })).json).toEqual({});
    expect((await get(`/rooms/${room}/account_data/test.key`)).json).toEqual({ value: 0.5 });
    expect((await get('/account_data/test.key')).json).toEqual({ value: 'second' });
    expect(changes()).toEqual([
      expect.objectContaining({ room: 0 }),
      expect.objectContaining({ room: 0 }),
      expect.objectContaining({ room: 7 }),
    ]);
    const positions = changes().map((wake) => ('pos' in wake ? wake.pos : 0));
    expect(positions).toEqual(positions.toSorted((a, b) => a - b));
    expect(new Set(positions).size).toBe(3);
  });

  it('keeps its hands off what the server manages', async () => {
    const { put, get, alice } = await setUp();
    for (const type of ['m.fully_read', 'm.push_rules']) {
      expect(refusal(await put(`/account_data/${type}`, {}))).toEqual([405, 'M_BAD_JSON']);
      expect(refusal(await put(`/rooms/${room}/account_data/${type}`, {}))).toEqual([405, 'M_BAD_JSON']);
    }
    const rules = (await get('/account_data/m.push_rules')).json;
    expect(rules).toMatchObject({ global: { override: expect.any(Array) as unknown[] } });
    expect(JSON.stringify(rules)).toContain(alice.userId);
    expect(refusal(await get(`/rooms/${room}/account_data/m.fully_read`))).toEqual([404, 'M_NOT_FOUND']);
  });

  it('refuses what it cannot take', async () => {
    const { put, get } = await setUp();
    expect(refusal(await put('/account_data/a', []))).toEqual([400, 'M_BAD_JSON']);
    expect(refusal(await put('/rooms/@notaroom:test/account_data/a', {}))).toEqual([400, 'M_INVALID_PARAM']);
    expect(refusal(await get('/rooms/@notaroom:test/account_data/a'))).toEqual([400, 'M_INVALID_PARAM']);
    expect(refusal(await put('/rooms/!unknown:test/account_data/a', {}))).toEqual([404, 'M_NOT_FOUND']);
    expect(refusal(await put(`/account_data/${'x'.repeat(256)}`, {}))).toEqual([400, 'M_INVALID_PARAM']);
    const large = { text: 'x'.repeat(limits.accountDataBytesMax) };
    expect(refusal(await put('/account_data/large', large))).toEqual([413, 'M_TOO_LARGE']);
    expect(refusal(await get('/account_data/large'))).toEqual([404, 'M_NOT_FOUND']);
  });

  it('is nobody else’s business', async () => {
    const { request, register } = await setUp();
    const user = await register('mallory');
    for (const path of ['/account_data/a', `/rooms/${room}/account_data/a`]) {
      expect(refusal(await request('GET', ofAlice + path, { user }))).toEqual([403, 'M_FORBIDDEN']);
      expect(refusal(await request('PUT', ofAlice + path, { user, body: {} }))).toEqual([403, 'M_FORBIDDEN']);
    }
    for (const path of [`/rooms/${room}/tags`, '/filter/0'])
      expect(refusal(await request('GET', ofAlice + path, { user }))).toEqual([403, 'M_FORBIDDEN']);
    const tag = `${ofAlice}/rooms/${room}/tags/u.a`;
    expect(refusal(await request('PUT', tag, { user, body: {} }))).toEqual([403, 'M_FORBIDDEN']);
    expect(refusal(await request('DELETE', tag, { user }))).toEqual([403, 'M_FORBIDDEN']);
    expect(refusal(await request('POST', `${ofAlice}/filter`, { user, body: {} }))).toEqual([403, 'M_FORBIDDEN']);
  });

  it('holds the tags of rooms', async () => {
    const { put, get, request, alice, changes } = await setUp();
    const tags = `/rooms/${room}/tags`;
    expect((await get(tags)).json).toEqual({ tags: {} });
    expect((await put(`${tags}/m.favourite`, { order: 0.1 })).json).toEqual({});
    await put(`${tags}/u.Work`, { order: 0.7 });
    await put(`${tags}/u.Customers`, {});
    await put(`${tags}/m.favourite`, { order: 0.2 });
    const expected = { 'm.favourite': { order: 0.2 }, 'u.Work': { order: 0.7 }, 'u.Customers': {} };
    expect((await get(tags)).json).toEqual({ tags: expected });
    expect((await get(`/rooms/${room}/account_data/m.tag`)).json).toEqual({ tags: expected });
    expect(changes()).toHaveLength(4);
    for (const times of [1, 2])
      expect((await request('DELETE', `${ofAlice}${tags}/u.Work`, { user: alice })).status * times).toBe(200 * times);
    expect((await get(tags)).json).toEqual({ tags: { 'm.favourite': { order: 0.2 }, 'u.Customers': {} } });
    expect(changes()).toHaveLength(5);
    expect(refusal(await put(`${tags}/u.a`, { order: 'first' }))).toEqual([400, 'M_BAD_JSON']);
    expect(refusal(await put(`${tags}/${'x'.repeat(256)}`, {}))).toEqual([400, 'M_INVALID_PARAM']);
    expect(refusal(await put('/rooms/!unknown:test/tags/u.a', {}))).toEqual([404, 'M_NOT_FOUND']);
    expect(refusal(await get('/rooms/room/tags'))).toEqual([400, 'M_INVALID_PARAM']);
  });

  it('loses no tag when several are set at once', async () => {
    const { put, get } = await setUp();
    const names = Array.from({ length: 10 }, (_, index) => `u.${index}`);
    await Promise.all(names.map((name) => put(`/rooms/${room}/tags/${name}`, {})));
    const { json } = await get(`/rooms/${room}/tags`);
    expect(Object.keys(json['tags'] ?? {}).toSorted((a, b) => a.localeCompare(b))).toEqual(names);
  });
});

describeOnBothEngines('filters over HTTP', (engine) => {
  const start = accountsOn(engine);

  it('are stored once each and given back as they were', async () => {
    const { request, register } = await start();
    const alice = await register('alice');
    const define = async (body: object) =>
      (await request('POST', `${ofAlice}/filter`, { user: alice, body: body as never })).json['filter_id'] as string;
    const filter = { room: { timeline: { limit: 10, types: ['m.room.message'] } }, 'org.example.own': true };
    const id = await define(filter);
    expect(id).toMatch(/^[^{]/);
    expect(
      await define({ 'org.example.own': true, room: { timeline: { types: ['m.room.message'], limit: 10 } } }),
    ).toBe(id);
    const other = await define({});
    expect(other).not.toBe(id);
    expect((await request('GET', `${ofAlice}/filter/${id}`, { user: alice })).json).toEqual(filter);
    expect((await request('GET', `${ofAlice}/filter/${other}`, { user: alice })).json).toEqual({});
  });

  it('are of one user', async () => {
    const { request, register, accounts } = await start();
    const alice = await register('alice');
    const bob = await register('bob');
    await request('POST', `${ofAlice}/filter`, { user: alice, body: { event_format: 'federation' } });
    const path = '/_matrix/client/v3/user/@bob:test/filter/0';
    expect(refusal(await request('GET', path, { user: bob }))).toEqual([404, 'M_NOT_FOUND']);
    const requester = await accounts.accessTokens.authenticate(alice.token, {
      allowLocked: false,
      client: { address: '::1', userAgent: undefined },
    });
    expect(await accounts.findFilter(requester, '0')).toMatchObject({ eventFormat: 'federation' });
    for (const id of ['1', '-1', '00000000000000000000', 'x', '{}'])
      expect(await accounts.findFilter(requester, id)).toBeUndefined();
  });

  it('are refused when they are none', async () => {
    const { request, register } = await start();
    const alice = await register('alice');
    for (const body of [{ presence: 'x' }, { room: { timeline: { rooms: ['x'] } } }, { 'org.example.float': 0.5 }, []])
      expect(refusal(await request('POST', `${ofAlice}/filter`, { user: alice, body }))).toEqual([400, 'M_BAD_JSON']);
    const large = { event_fields: ['x'.repeat(limits.filterBytesMax)] };
    expect(refusal(await request('POST', `${ofAlice}/filter`, { user: alice, body: large }))).toEqual([
      413,
      'M_TOO_LARGE',
    ]);
    expect(refusal(await request('GET', `${ofAlice}/filter/unknown`, { user: alice }))).toEqual([404, 'M_NOT_FOUND']);
  });

  it('give way to new ones when there are very many', async () => {
    const { register, accounts, db } = await start();
    await register('alice');
    const [row] = await db.dynamic((q) => q.selectFrom('account').select('user_nid'));
    const user = row?.user_nid ?? 0;
    await db.write((unit) => {
      for (const filterId of [0, 1, limits.filtersMax - 1])
        unit.run(insertFilter, { user, filterId, json: `{"event_fields":["${filterId}"]}` });
    }).committed;
    expect(await accounts.defineFilter(user, {})).toBe(String(limits.filtersMax));
    await expect(accounts.getFilter(user, '0')).rejects.toMatchObject({ errcode: 'M_NOT_FOUND' });
    expect(await accounts.getFilter(user, '1')).toEqual({ event_fields: ['1'] });
    expect(await accounts.getFilter(user, String(limits.filtersMax))).toEqual({});
  });
});
