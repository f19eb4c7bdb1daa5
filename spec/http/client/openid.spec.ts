import { expect, it } from 'vitest';
import { limits } from '../../../src/platform/limits.ts';
import { describeOnBothEngines } from '../../support/databases.ts';
import { accountsOn, passwordAuth, refusal, type TestAccounts, type TestUser } from '../../support/test-accounts.ts';

const unknown = [401, 'M_UNKNOWN_TOKEN'];
const pathOf = (userId: string): string => `/_matrix/client/v3/user/${encodeURIComponent(userId)}/openid/request_token`;

describeOnBothEngines('OpenID tokens over HTTP', (engine) => {
  const started = accountsOn(engine);
  const start = async () => {
    const test = await started();
    const tokenOf = async (user: TestUser): Promise<string> => {
      const { json } = await test.request('POST', pathOf(user.userId), { user, body: {} });
      return String(json['access_token']);
    };
    return { ...test, tokenOf, owner: ownerIn(test) };
  };
  const ownerIn = (test: TestAccounts) => (token: string) =>
    test.request('GET', '/_matrix/federation/v1/openid/userinfo', { query: { access_token: token } });

  it('say to others who somebody is, until they expire', async () => {
    const { ports, request, register, owner } = await start();
    const alice = await register('alice');
    const { status, json } = await request('POST', pathOf(alice.userId), { user: alice, body: {} });
    expect(status).toBe(200);
    expect(json).toEqual({
      access_token: expect.stringMatching(/^vco_/) as string,
      token_type: 'Bearer',
      matrix_server_name: 'test',
      expires_in: 3600,
    });
    const token = String(json['access_token']);
    expect((await owner(token)).json).toEqual({ sub: alice.userId });
    await ports.advance(limits.openIdTokenMs - 1);
    expect((await owner(token)).json).toEqual({ sub: alice.userId });
    await ports.advance(1);
    expect(refusal(await owner(token))).toEqual(unknown);
  });

  it('are for nothing else, and nothing else is one of them', async () => {
    const { request, register, tokenOf, owner } = await start();
    const alice = await register('alice');
    const token = await tokenOf(alice);
    expect(refusal(await request('GET', '/_matrix/client/v3/account/whoami', { user: { token } }))).toEqual(unknown);
    const wrong = [alice.token, 'nonsense', '', `${token}x`, 'x'.repeat(10_000)];
    for (const other of wrong) expect(refusal(await owner(other))).toEqual(unknown);
    expect(refusal(await request('GET', '/_matrix/federation/v1/openid/userinfo'))).toEqual([400, 'M_MISSING_PARAM']);
  });

  it('are given to their owner alone', async () => {
    const { request, register } = await start();
    const [alice, bob] = [await register('alice'), await register('bob')];
    expect(refusal(await request('POST', pathOf(alice.userId), { user: bob, body: {} }))).toEqual([403, 'M_FORBIDDEN']);
    expect(refusal(await request('POST', pathOf(alice.userId), { body: {} }))).toEqual([401, 'M_MISSING_TOKEN']);
  });

  it('end with the account, and serve nobody who is locked', async () => {
    const { request, register, registerAdministrator, tokenOf, owner } = await start();
    const [alice, bob, admin] = [await register('alice'), await register('bob'), await registerAdministrator('admin')];
    const [ofAlice, ofBob] = [await tokenOf(alice), await tokenOf(bob)];
    await request('POST', '/_matrix/client/v3/account/deactivate', {
      user: alice,
      body: { auth: passwordAuth('alice') },
    });
    expect(refusal(await owner(ofAlice))).toEqual(unknown);
    await request('PUT', `/_synapse/admin/v2/users/${bob.userId}`, { user: admin, body: { locked: true } });
    expect(refusal(await owner(ofBob))).toEqual(unknown);
  });

  it('are bounded: the oldest of too many go', async () => {
    const { ports, register, tokenOf, owner } = await start();
    const alice = await register('alice');
    const first = await tokenOf(alice);
    await ports.advance(1);
    const second = await tokenOf(alice);
    for (let i = 2; i <= limits.openIdTokensMax; i++) {
      await ports.advance(1);
      await tokenOf(alice);
    }
    expect(refusal(await owner(first))).toEqual(unknown);
    expect((await owner(second)).status).toBe(200);
  });
});
