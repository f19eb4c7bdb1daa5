import { expect, it } from 'vitest';
import { describeOnBothEngines } from '../../support/databases.ts';
import { accountsOn, refusal } from '../../support/test-accounts.ts';

const rules = '/_matrix/client/v3/pushrules/';

describeOnBothEngines('push rules over HTTP', (engine) => {
  const start = accountsOn(engine);
  const setUp = async () => {
    const server = await start();
    const alice = await server.register('alice');
    const call = (method: string, path: string, body?: object, query?: Record<string, string>) =>
      server.request(method, `${rules}global/${path}`, {
        user: alice,
        ...(body === undefined ? {} : { body: body as never }),
        ...(query === undefined ? {} : { query }),
      });
    const idsOf = async (kind: string) => {
      const { json } = await call('GET', '');
      return (json[kind] as { rule_id: string; default: boolean }[])
        .filter((rule) => !rule.default)
        .map((rule) => rule.rule_id);
    };
    return { ...server, alice, call, idsOf };
  };

  it('are the default ones for who has changed nothing, with the user’s own name in them', async () => {
    const { request, alice, call, db } = await setUp();
    const { json } = await request('GET', rules, { user: alice });
    expect(json).toEqual({ global: (await call('GET', '')).json });
    expect(await call('GET', 'override/.m.rule.invite_for_me')).toMatchObject({
      json: {
        rule_id: '.m.rule.invite_for_me',
        default: true,
        enabled: true,
        conditions: expect.arrayContaining([
          { kind: 'event_match', key: 'state_key', pattern: '@alice:test' },
        ]) as unknown,
      },
    });
    expect(await db.dynamic((q) => q.selectFrom('user_push_ruleset').selectAll())).toEqual([]);
    expect(refusal(await request('GET', rules))).toEqual([401, 'M_MISSING_TOKEN']);
  });

  it('are added, read, changed and deleted', async () => {
    const { call } = await setUp();
    const body = { pattern: 'cake*lie', actions: ['notify', { set_tweak: 'sound', value: 'default' }] };
    expect((await call('PUT', 'content/nocake', body)).json).toEqual({});
    expect((await call('GET', 'content/nocake')).json).toEqual({
      rule_id: 'nocake',
      default: false,
      enabled: true,
      ...body,
    });
    await call('PUT', 'content/nocake', { ...body, pattern: 'cake' });
    expect((await call('GET', 'content/nocake')).json).toMatchObject({ pattern: 'cake' });
    expect((await call('DELETE', 'content/nocake')).json).toEqual({});
    expect(refusal(await call('GET', 'content/nocake'))).toEqual([404, 'M_NOT_FOUND']);
    expect(refusal(await call('DELETE', 'content/nocake'))).toEqual([404, 'M_NOT_FOUND']);
  });

  it('keep historical actions as they came', async () => {
    const { call } = await setUp();
    await call('PUT', 'sender/@bob:test', { actions: ['dont_notify'] });
    for (const times of [1, 2])
      expect([times, (await call('GET', 'sender/@bob:test/actions')).json]).toEqual([
        times,
        { actions: ['dont_notify'] },
      ]);
  });

  it('are put where it is wished', async () => {
    const { call, idsOf } = await setUp();
    const put = (id: string, query?: Record<string, string>) => call('PUT', `room/${id}`, { actions: [] }, query);
    await put('!a');
    await put('!b');
    await put('!c', { after: '!b' });
    await put('!d', { before: '!a' });
    await put('!e', { before: '!b', after: '!d' });
    expect(await idsOf('room')).toEqual(['!e', '!b', '!c', '!d', '!a']);
    await put('!a', { before: '!e' });
    expect(await idsOf('room')).toEqual(['!a', '!e', '!b', '!c', '!d']);
    expect(refusal(await put('!f', { after: 'unknown' }))).toEqual([400, 'M_UNKNOWN']);
    expect(refusal(await put('!f', { before: '.m.rule.master' }))).toEqual([400, 'M_UNKNOWN']);
  });

  it('are enabled and disabled, and given other actions, the default ones too', async () => {
    const { call } = await setUp();
    for (const rule of ['override/.m.rule.suppress_notices', 'underride/mine']) {
      if (!rule.includes('.m.')) await call('PUT', rule, { actions: ['notify'] });
      expect((await call('GET', `${rule}/enabled`)).json).toEqual({ enabled: true });
      expect((await call('PUT', `${rule}/enabled`, { enabled: false })).json).toEqual({});
      expect((await call('GET', `${rule}/enabled`)).json).toEqual({ enabled: false });
      const actions = ['notify', { set_tweak: 'highlight' }];
      expect((await call('PUT', `${rule}/actions`, { actions })).json).toEqual({});
      expect((await call('GET', `${rule}/actions`)).json).toEqual({ actions });
      expect((await call('GET', rule)).json).toMatchObject({ enabled: false, actions });
    }
  });

  it("have those about threads, which are off and the server's own", async () => {
    const { call } = await setUp();
    const ids = ['unsubscribed_thread', 'subscribed_thread'].map((name) => `.io.element.msc4306.rule.${name}`);
    expect(Object.keys((await call('GET', '')).json)).toContain('postcontent');
    for (const [index, id] of ids.entries())
      expect((await call('GET', `postcontent/${id}`)).json).toEqual({
        rule_id: id,
        default: true,
        enabled: false,
        conditions: [{ kind: 'io.element.msc4306.thread_subscription', subscribed: index === 1 }],
        actions: index === 1 ? ['notify', { set_tweak: 'sound', value: 'default' }] : [],
      });
    expect((await call('PUT', `postcontent/${ids[1]}/enabled`, { enabled: true })).json).toEqual({});
    expect((await call('GET', `postcontent/${ids[1]}/enabled`)).json).toEqual({ enabled: true });
    const own = { actions: ['notify'], conditions: [] };
    expect(refusal(await call('PUT', 'postcontent/mine', own))).toEqual([400, 'M_INVALID_PARAM']);
    expect((await call('DELETE', `postcontent/${ids[1]}`)).status).toBe(404);
  });

  it('refuse what cannot be', async () => {
    const { call } = await setUp();
    const actions = ['notify'];
    expect(refusal(await call('PUT', 'unknown/x', { actions }))).toEqual([400, 'M_INVALID_PARAM']);
    expect(refusal(await call('PUT', 'room/.reserved', { actions }))).toEqual([400, 'M_INVALID_PARAM']);
    expect(refusal(await call('PUT', 'room/a%2Fb', { actions }))).toEqual([400, 'M_INVALID_PARAM']);
    expect(refusal(await call('PUT', 'room/a%5Cb', { actions }))).toEqual([400, 'M_INVALID_PARAM']);
    expect(refusal(await call('PUT', 'room/x', {}))).toEqual([400, 'M_MISSING_PARAM']);
    expect(refusal(await call('PUT', 'room/x', { actions: 'notify' }))).toEqual([400, 'M_BAD_JSON']);
    expect(refusal(await call('PUT', 'room/x', { actions: ['shout'] }))).toEqual([400, 'M_INVALID_PARAM']);
    expect(refusal(await call('PUT', 'content/x', { actions }))).toEqual([400, 'M_MISSING_PARAM']);
    expect(refusal(await call('PUT', 'override/x', { actions, conditions: [{}] }))).toEqual([400, 'M_MISSING_PARAM']);
    for (const path of ['room/unknown/enabled', 'room/unknown/actions', 'room/unknown'])
      expect(refusal(await call('GET', path))).toEqual([404, 'M_NOT_FOUND']);
    expect(refusal(await call('PUT', 'room/unknown/enabled', { enabled: true }))).toEqual([404, 'M_NOT_FOUND']);
    expect(refusal(await call('PUT', 'room/unknown/actions', { actions }))).toEqual([404, 'M_NOT_FOUND']);
    expect(refusal(await call('PUT', 'override/.m.rule.master/enabled', {}))).toEqual([400, 'M_MISSING_PARAM']);
    expect(refusal(await call('DELETE', 'override/.m.rule.master'))).toEqual([404, 'M_NOT_FOUND']);
  });

  it('wake who follows, and are stored once for people with the same changes', async () => {
    const { call, register, request, db, wakes } = await setUp();
    const bob = await register('bob');
    const path = 'override/.m.rule.master/enabled';
    await call('PUT', path, { enabled: true });
    await request('PUT', `${rules}global/${path}`, { user: bob, body: { enabled: true } });
    expect(wakes.filter(({ kind }) => kind === 'push-rules')).toHaveLength(2);
    expect(wakes.filter(({ kind }) => kind === 'account-data')).toEqual([
      expect.objectContaining({ room: 0, pos: expect.any(Number) as number }),
      expect.objectContaining({ room: 0, pos: expect.any(Number) as number }),
    ]);
    expect(await db.dynamic((q) => q.selectFrom('push_ruleset').select('json'))).toHaveLength(1);
    const before = wakes.length;
    await call('PUT', path, { enabled: true });
    expect(wakes).toHaveLength(before);
  });

  it('lose nothing when several are added at once', async () => {
    const { call, idsOf } = await setUp();
    const ids = Array.from({ length: 10 }, (_, index) => `!room${index}`);
    await Promise.all(ids.map((id) => call('PUT', `room/${id}`, { actions: [] })));
    expect((await idsOf('room')).toSorted((a, b) => a.localeCompare(b))).toEqual(ids);
  });
});
