import { afterEach, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/matrix/json/json-value.ts';
import { limits } from '../../../src/platform/limits.ts';
import { describeOnBothEngines } from '../../support/databases.ts';
import { type LoopbackOptions, type LoopbackServer, startLoopbackServer } from '../../support/loopback-server.ts';
import { passwordOfTests, refusal } from '../../support/test-accounts.ts';
import { TestClient, succeeded } from '../../support/test-client.ts';

describeOnBothEngines('the user directory', (engine) => {
  const running: LoopbackServer[] = [];
  afterEach(async () => {
    await Promise.all(running.splice(0).map((server) => server.close()));
  });
  const start = async (options: LoopbackOptions = {}): Promise<LoopbackServer> => {
    const database = await engine.freshOptions();
    const postgres = database.engine === 'postgres' ? { postgresUrl: database.url } : {};
    const server = await startLoopbackServer({ ...options, ...postgres });
    running.push(server);
    return server;
  };
  const named = async (server: LoopbackServer, localpart: string, displayname?: string): Promise<TestClient> => {
    const client = await TestClient.register(server, localpart);
    if (displayname !== undefined)
      await succeeded(client.put(`/profile/${encodeURIComponent(client.userId)}/displayname`, { displayname }));
    return client;
  };
  const search = async (client: TestClient, term: string, limit?: number): Promise<JsonObject> =>
    succeeded(client.post('/user_directory/search', { search_term: term, ...(limit === undefined ? {} : { limit }) }));
  const found = async (client: TestClient, term: string): Promise<unknown[]> =>
    ((await search(client, term))['results'] as JsonObject[]).map((user) => user['user_id']);

  it('finds those who share a room with the one who asks, and those in rooms that are open', async () => {
    const server = await start();
    const [alice, bob, carol] = [
      await named(server, 'alice'),
      await named(server, 'bob', 'Боря Ёжиков'),
      await named(server, 'carol'),
    ];
    const roomId = await bob.createRoom({ preset: 'private_chat', invite: [alice.userId] });
    expect(await found(alice, 'bob')).toEqual([]);
    await succeeded(alice.post(`/join/${encodeURIComponent(roomId)}`));
    expect(await search(alice, 'bob')).toEqual({
      results: [{ user_id: bob.userId, display_name: 'Боря Ёжиков' }],
      limited: false,
    });
    expect(await found(carol, 'bob')).toEqual([]);
    await bob.setState(roomId, 'm.room.history_visibility', { history_visibility: 'world_readable' });
    expect(await found(carol, 'bob')).toEqual([bob.userId]);
    await bob.setState(roomId, 'm.room.history_visibility', { history_visibility: 'shared' });
    expect(await found(carol, 'bob')).toEqual([]);
    await bob.setState(roomId, 'm.room.join_rules', { join_rule: 'public' });
    expect(await found(carol, 'bob')).toEqual([bob.userId]);
    expect(await found(bob, 'bob')).toEqual([]);
    await succeeded(bob.post(`/rooms/${encodeURIComponent(roomId)}/leave`));
    expect(await found(carol, 'bob')).toEqual([]);
  });

  it('compares words of names and ids without case and accents, in every alphabet', async () => {
    const server = await start();
    const alice = await named(server, 'alice');
    const bob = await named(server, 'bob.builder-2', 'Боря ЁЖИКОВ');
    const chen = await named(server, 'chen', '陳大文 Élodie');
    await alice.createRoom({ preset: 'public_chat' });
    for (const client of [bob, chen]) await client.createRoom({ preset: 'public_chat' });
    for (const term of [
      'боря',
      'ёжик',
      'ЕЖИКОВ бо',
      'bob.b',
      'BUILDER',
      '@bob',
      bob.userId,
      '@bob.builder-2:local',
      '2',
    ])
      expect(await found(alice, term), term).toEqual([bob.userId]);
    for (const term of ['elo', 'ÉLODIE', '陳', '大文', '文'])
      expect(await found(alice, term), term).toEqual([chen.userId]);
    for (const term of ['', ' ', '%', '_', 'боря elodie', 'орлов', '陳文', `${bob.userId}.org`, '@bob:elsewhere'])
      expect(await found(alice, term), term).toEqual([]);
    await succeeded(bob.put(`/profile/${encodeURIComponent(bob.userId)}/displayname`, { displayname: 'Борис' }));
    expect(await found(alice, 'ёжиков')).toEqual([]);
    expect(await found(alice, 'борис')).toEqual([bob.userId]);
  });

  it('puts the best first and tells when there are more', async () => {
    const server = await start();
    const alice = await named(server, 'alice');
    for (const [localpart, name] of [
      ['anna.b', 'Annabel'],
      ['anna', undefined],
      ['an', 'Anna Berg'],
      ['x', 'Anna'],
    ] as const)
      await (await named(server, localpart, name)).createRoom({ preset: 'public_chat' });
    const id = (localpart: string): string => `@${localpart}:localhost`;
    expect(await found(alice, 'anna')).toEqual([id('anna'), id('x'), id('an'), id('anna.b')]);
    expect(await search(alice, 'anna', 2)).toMatchObject({ results: [{ user_id: id('anna') }, {}], limited: true });
    expect(await search(alice, 'anna', 4)).toMatchObject({ limited: false });
    for (const limit of [0, -1])
      expect(refusal(await alice.post('/user_directory/search', { search_term: 'a', limit }))).toEqual([
        400,
        'M_INVALID_PARAM',
      ]);
    const long = { search_term: 'a'.repeat(limits.userSearchTermBytesMax + 1) };
    expect(refusal(await alice.post('/user_directory/search', long))).toEqual([400, 'M_INVALID_PARAM']);
  });

  it('finds everybody where the configuration says so, but nobody who is locked out or gone', async () => {
    const server = await start({ config: { user_directory: '{ all_local_users: true }' } });
    const admin = await TestClient.registerAdministrator(server);
    const [alice, bob, carol] = [
      await named(server, 'alice'),
      await named(server, 'bob', 'Friend'),
      await named(server, 'carol', 'Friend'),
    ];
    expect(await found(alice, 'friend')).toEqual([bob.userId, carol.userId]);
    await admin.setLocked(bob.userId, true);
    expect(await found(alice, 'friend')).toEqual([carol.userId]);
    await admin.setLocked(bob.userId, false);
    const auth = {
      type: 'm.login.password',
      identifier: { type: 'm.id.user', user: 'carol' },
      password: passwordOfTests,
    };
    await succeeded(carol.post('/account/deactivate', { auth }));
    expect(await found(alice, 'friend')).toEqual([bob.userId]);
    expect(await found(alice, 'carol')).toEqual([]);
  });
});
