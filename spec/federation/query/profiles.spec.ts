import { describe, expect, it } from 'vitest';
import { useFederatedServers } from '../../support/federated-servers.ts';
import { TestClient } from '../../support/test-client.ts';

describe('profiles of users of other servers', () => {
  const servers = useFederatedServers(['one.test', 'two.test']);
  const pathOf = ({ userId }: { readonly userId: string }): string => `/profile/${encodeURIComponent(userId)}`;

  it('are asked for at their server, whole or a field', async () => {
    const [alice, bob] = [await servers.register('one.test', 'alice'), await servers.register('two.test', 'bob')];
    await alice.put(`${pathOf(alice)}/displayname`, { displayname: 'Alice Cooper' });
    await alice.put(`${pathOf(alice)}/org.example.number`, { 'org.example.number': 1.5 });
    const whole = { displayname: 'Alice Cooper', 'org.example.number': 1.5 };
    expect(await bob.get(pathOf(alice))).toMatchObject({ status: 200, json: whole });
    const nobody = TestClient.nobody(servers.get('two.test'));
    expect((await nobody.call('GET', `${pathOf(alice)}/displayname`)).json).toEqual({ displayname: 'Alice Cooper' });
    expect((await bob.get(`${pathOf(alice)}/org.example.number`)).json).toEqual({ 'org.example.number': 1.5 });
    expect(await bob.get(`${pathOf(alice)}/avatar_url`)).toMatchObject({
      status: 404,
      json: { errcode: 'M_NOT_FOUND' },
    });
    const nobodyThere = { userId: '@nobody:one.test' };
    expect(await bob.get(pathOf(nobodyThere))).toMatchObject({ status: 404, json: { errcode: 'M_NOT_FOUND' } });
  });

  it('are not there while their server is not', async () => {
    const bob = await servers.register('two.test', 'bob');
    servers.cut('one.test', 'two.test');
    expect((await bob.get('/profile/@alice:one.test')).status).toBe(404);
    expect((await bob.get('/profile/@alice:one.test:http')).status).toBe(400);
  });

  it('leave out what clients could not take', async () => {
    const bob = await servers.register('two.test', 'bob');
    const profile = { displayname: 7, avatar_url: null, 'org.example.other': 7 };
    servers.addPeer('peer.test', ({ uri }) =>
      uri.includes('eve') ? { json: profile } : { status: 403, json: { errcode: 'M_FORBIDDEN', error: 'no' } },
    );
    expect((await bob.get('/profile/@eve:peer.test')).json).toEqual({ 'org.example.other': 7 });
    expect(await bob.get('/profile/@mallory:peer.test')).toMatchObject({
      status: 403,
      json: { errcode: 'M_FORBIDDEN' },
    });
  });

  it('say nothing of the session of whoever asks, whatever their server answers', async () => {
    const bob = await servers.register('two.test', 'bob');
    let answer = { status: 403, json: { errcode: 'M_UNKNOWN_TOKEN', error: 'no' } };
    servers.addPeer('peer.test', () => answer);
    // Clients log out and forget their keys where they are told so.
    for (const errcode of [
      'M_UNKNOWN_TOKEN',
      'M_USER_LOCKED',
      'M_CONSENT_NOT_GIVEN',
      'ORG_MATRIX_MSC3823_USER_SUSPENDED',
    ]) {
      answer = { status: 403, json: { errcode, error: 'no' } };
      expect(await bob.get('/profile/@eve:peer.test')).toMatchObject({ status: 403, json: { errcode: 'M_FORBIDDEN' } });
    }
  });

  it('are told to other servers, of users of this one', async () => {
    const alice = await servers.register('one.test', 'alice');
    await alice.put(`${pathOf(alice)}/displayname`, { displayname: 'Alice' });
    const peer = servers.addPeer('peer.test');
    const ask = async (query: string) => {
      const { status, json } = await peer.send('one.test', {
        method: 'GET',
        uri: `/_matrix/federation/v1/query/${query}`,
      });
      return { status, json };
    };
    const told = { status: 200, json: { displayname: 'Alice' } };
    expect(await ask('profile?user_id=@alice:one.test')).toEqual(told);
    expect(await ask('profile?user_id=@alice:one.test&field=displayname')).toEqual(told);
    expect(await ask('profile?user_id=@alice:one.test&field=avatar_url')).toEqual({ status: 200, json: {} });
    expect(await ask('profile?user_id=@alice:one.test&field=__proto__')).toEqual({ status: 200, json: {} });
    for (const userId of ['@nobody:one.test', '@bob:two.test'])
      expect(await ask(`profile?user_id=${userId}`)).toMatchObject({ status: 404, json: { errcode: 'M_NOT_FOUND' } });
    expect(await ask('profile?user_id=@user1:localhost:http&field=displayname')).toMatchObject({ status: 400 });
    expect(await ask('weather?user_id=@alice:one.test')).toMatchObject({ status: 400 });
    expect(servers.passed.filter(({ uri }) => uri.includes('query/profile'))).toEqual([]);
  });
});
