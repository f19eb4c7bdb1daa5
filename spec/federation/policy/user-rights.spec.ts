import { describe, expect, it } from 'vitest';
import { UserRights } from '../../../src/federation/policy/user-rights.ts';
import type { UserId } from '../../../src/matrix/ids/ids.ts';
import { useFederatedServers } from '../../support/federated-servers.ts';
import { succeeded, TestClient } from '../../support/test-client.ts';
import { requestJson } from '../../support/test-server.ts';

describe('UserRights', () => {
  const groups = { teachers: ['@t-*:one.test'], pupils: ['@p-*:one.test'] };
  const may = (users: ConstructorParameters<typeof UserRights>[0]['users'], name: string): boolean =>
    new UserRights({ groups, users }).mayFederate(`@${name}:one.test` as UserId);

  it('knows groups and patterns, and what is denied is denied', () => {
    expect(may({ allow: undefined, deny: [] }, 'p-ann')).toBe(true);
    expect(may({ allow: undefined, deny: ['pupils'] }, 'p-ann')).toBe(false);
    expect(may({ allow: undefined, deny: ['pupils'] }, 't-bob')).toBe(true);
    expect(may({ allow: ['teachers', '@p-ann:one.test'], deny: [] }, 'p-ann')).toBe(true);
    expect(may({ allow: ['teachers', '@p-ann:one.test'], deny: ['pupils'] }, 'p-ann')).toBe(false);
    expect(may({ allow: ['teachers'], deny: [] }, 'root')).toBe(false);
    expect(may({ allow: [], deny: [] }, 't-bob')).toBe(false);
  });
});

describe('users who may have nothing to do with other servers', () => {
  const groups = "{ pupils: ['@p-*:one.test'] }";
  const federation = '{ users: { deny: [pupils] } }';
  const servers = useFederatedServers(['one.test', 'two.test'], {
    configOf: { 'one.test': { groups, federation } },
    config: { listeners: '[{ bind: 127.0.0.1, port: 0, serve: [client, media, federation, admin, metrics] }]' },
  });
  const join = (user: TestClient, roomId: string) =>
    user.call('POST', `/join/${encodeURIComponent(roomId)}?server_name=one.test&server_name=two.test`);
  const invite = (user: TestClient, roomId: string, userId: string) =>
    user.post(`/rooms/${encodeURIComponent(roomId)}/invite`, { user_id: userId });
  const forbidden = { status: 403, json: { errcode: 'M_FORBIDDEN' } };
  const people = async () => ({
    pupil: await servers.register('one.test', 'p-ann'),
    teacher: await servers.register('one.test', 't-bob'),
    other: await servers.register('two.test', 'carol'),
  });
  const refusals = async (): Promise<string> =>
    (await requestJson(servers.get('one.test').url, 'GET', '/metrics')).text;

  it('make rooms for this server only', async () => {
    const { pupil, teacher, other } = await people();
    const roomId = await pupil.createRoom({ preset: 'public_chat' });
    const create = await succeeded(pupil.get(`/rooms/${encodeURIComponent(roomId)}/state/m.room.create`));
    expect(create['m.federate']).toBe(false);
    expect((await join(teacher, roomId)).status).toBe(200);
    expect(await join(other, roomId)).toMatchObject({
      ...forbidden,
      json: { error: expect.stringContaining('users of its own server only') as string },
    });
    expect(await invite(teacher, roomId, other.userId)).toMatchObject(forbidden);
    expect(await pupil.post('/createRoom', { creation_content: { 'm.federate': true } })).toMatchObject(forbidden);
    expect(await pupil.post('/createRoom', { invite: [other.userId] })).toMatchObject({
      ...forbidden,
      json: { error: 'This user may not have to do with users and rooms of other servers' },
    });
    const text = await refusals();
    expect(text).toMatch(/veche_federation_refusals_total\{direction="incoming",reason="room_not_federated"\} [1-9]/);
    expect(text).toContain('veche_federation_refusals_total{direction="outgoing",reason="user_not_allowed"} 2');
    expect(text).toMatch(/veche_federation_refusals_total\{direction="outgoing",reason="room_not_federated"\} 1/);
  });

  it('are in no room with others, whoever comes first', async () => {
    const { pupil, teacher, other } = await people();
    const shared = await teacher.createRoom({ preset: 'public_chat' });
    await succeeded(join(other, shared));
    expect(await join(pupil, shared)).toMatchObject(forbidden);
    expect(await invite(teacher, shared, pupil.userId)).toMatchObject(forbidden);
    const school = await teacher.createRoom({ preset: 'public_chat' });
    await succeeded(join(pupil, school));
    expect(await join(other, school)).toMatchObject(forbidden);
    expect(await invite(teacher, school, other.userId)).toMatchObject(forbidden);
    await succeeded(pupil.post(`/rooms/${encodeURIComponent(school)}/leave`));
    await succeeded(join(other, school));
  });

  it('neither join rooms elsewhere nor are invited there, nor send or get what goes beside rooms', async () => {
    const { pupil, teacher, other } = await people();
    const foreign = await other.createRoom({ preset: 'public_chat' });
    expect(await join(pupil, foreign)).toMatchObject(forbidden);
    expect((await join(teacher, foreign)).status).toBe(200);
    expect(await invite(other, foreign, pupil.userId)).toMatchObject(forbidden);
    const messages = { messages: { [other.userId]: { '*': { body: 'psst' } } } };
    expect(await pupil.put('/sendToDevice/m.test/1', messages)).toMatchObject(forbidden);
    expect((await teacher.put('/sendToDevice/m.test/1', messages)).status).toBe(200);
    expect(await pupil.call('POST', '/publicRooms?server=two.test')).toMatchObject(forbidden);
    expect((await teacher.call('POST', '/publicRooms?server=two.test')).status).toBe(200);
    expect((await other.get(`/profile/${encodeURIComponent(pupil.userId)}`)).status).toBe(403);
    expect((await other.get(`/profile/${encodeURIComponent(teacher.userId)}`)).status).toBe(200);
  });

  it('are others once the configuration was read again', async () => {
    const { pupil, other } = await people();
    const foreign = await other.createRoom({ preset: 'public_chat' });
    const one = servers.get('one.test');
    one.writeConfig({ federation: '{ users: { deny: [teachers] } }' });
    await expect(one.server.configReload.reload()).rejects.toThrow('names the group teachers, which is not in groups');
    expect(await join(pupil, foreign)).toMatchObject(forbidden);
    one.writeConfig({ federation: '{}' });
    expect(await one.server.configReload.reload()).toEqual({ changed: ['federation.users.deny'] });
    expect((await join(pupil, foreign)).status).toBe(200);
  });
});

describe('a room with m.federate: false', () => {
  const servers = useFederatedServers(['one.test', 'two.test']);

  it('is for its own server, whoever asks', async () => {
    const alice = await servers.register('one.test', 'alice');
    const bob = await servers.register('two.test', 'bob');
    const roomId = await alice.createRoom({ preset: 'public_chat', creation_content: { 'm.federate': false } });
    const path = encodeURIComponent(roomId);
    for (const asked of ['join', 'knock']) {
      const answer = await bob.call('POST', `/${asked}/${path}?server_name=one.test`);
      expect(answer).toMatchObject({ status: 403, json: { errcode: 'M_FORBIDDEN' } });
      expect(answer.json['error']).toContain('for users of its own server only');
    }
    const invited = await alice.post(`/rooms/${path}/invite`, { user_id: bob.userId });
    expect(invited).toMatchObject({
      status: 403,
      json: { errcode: 'M_FORBIDDEN', error: expect.stringContaining('for users of its own server only') as string },
    });
  });
});
