import { expect, it } from 'vitest';
import type { UserId } from '../../src/matrix/ids/ids.ts';
import { describeOnBothEngines } from '../support/databases.ts';
import { accountsOn } from '../support/test-accounts.ts';

describeOnBothEngines('accounts of two local names', (engine) => {
  const start = accountsOn(engine);

  it('are kept apart', async () => {
    const { accounts, register, request } = await start();
    await register('alice');
    const second = '@alice:second.test' as UserId;
    await accounts.putAccount({ userNid: -1 }, second, { password: 'the second alice' });
    const logIn = (user: string, password: string) =>
      request('POST', '/_matrix/client/v3/login', {
        body: { type: 'm.login.password', identifier: { type: 'm.id.user', user }, password },
      });
    expect((await logIn(second, 'the second alice')).json).toMatchObject({
      user_id: second,
      home_server: 'second.test',
    });
    expect((await logIn('alice', 'the second alice')).status).toBe(403);
    expect((await logIn(second, 'sUp3rs3kr1t')).status).toBe(403);
    expect((await logIn('alice', 'sUp3rs3kr1t')).json).toMatchObject({ user_id: '@alice:test' });
  });
});
