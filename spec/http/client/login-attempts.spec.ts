import { expect, it } from 'vitest';
import type { AttemptLimiter } from '../../../src/accounts/ports.ts';
import { TokenBuckets } from '../../../src/http/rate-limiter.ts';
import { MatrixError } from '../../../src/matrix/errors.ts';
import { describeOnBothEngines } from '../../support/databases.ts';
import { accountsOn, passwordAuth, passwordOfTests, refusal } from '../../support/test-accounts.ts';
import { testPorts } from '../../support/test-ports.ts';

const loginPath = '/_matrix/client/v3/login';

describeOnBothEngines('attempts to log in', (engine) => {
  const start = accountsOn(engine);

  it('limits wrong passwords for one account from one address', async () => {
    const ports = testPorts(1);
    const attempts: AttemptLimiter = new TokenBuckets({ loginFailures: { perSecond: 1, burst: 2 } }, ports.clock);
    const { request, register } = await start({ attempts });
    await register('alice');
    await register('bob');
    const attempt = (user: string, password: string) =>
      request('POST', loginPath, { body: passwordAuth(user, password) });
    expect((await attempt('alice', 'wrong')).status).toBe(403);
    expect((await attempt('@alice:test', 'wrong')).status).toBe(403);
    const limited = await attempt('alice', passwordOfTests);
    expect(refusal(limited)).toEqual([429, 'M_LIMIT_EXCEEDED']);
    expect(limited.json['retry_after_ms']).toBe(1000);
    expect(limited.headers.get('retry-after')).toBe('1');
    expect((await attempt('bob', passwordOfTests)).status).toBe(200);
    await ports.advance(1000);
    expect((await attempt('alice', passwordOfTests)).status).toBe(200);
  });

  it('count for nothing when the password is right, however many there are', async () => {
    const limit = { perSecond: 0.001, burst: 2 };
    const attempts = new TokenBuckets({ loginFailures: limit, accountFailures: limit }, testPorts(1).clock);
    const { request, register } = await start({ attempts });
    await register('alice');
    for (let count = 0; count < 6; count++)
      expect((await request('POST', loginPath, { body: passwordAuth('alice') })).status).toBe(200);
  });

  it('pass no more than the limit at the same time', async () => {
    const limit = { perSecond: 0.001, burst: 3 };
    const attempts = new TokenBuckets({ loginFailures: limit }, testPorts(1).clock);
    const { request, register } = await start({ attempts });
    await register('alice');
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => request('POST', loginPath, { body: passwordAuth('alice', 'wrong') })),
    );
    expect(answers.filter(({ status }) => status === 403)).toHaveLength(3);
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(7);
  });

  it('of others lock nobody out, neither at another address nor at one that the account was used from', async () => {
    const limits = { loginFailures: { perSecond: 0.001, burst: 5 }, accountFailures: { perSecond: 0.001, burst: 8 } };
    const { accounts, register } = await start({ attempts: new TokenBuckets(limits, testPorts(1).clock) });
    await register('alice');
    const attempt = async (address: string, password: string): Promise<unknown> =>
      accounts
        .logInWithPassword({ kind: 'user', user: 'alice' }, password, {
          deviceId: undefined,
          initialDeviceDisplayName: undefined,
          canRefresh: false,
          client: { address, userAgent: undefined },
        })
        .then(
          () => 'in',
          (error: unknown) => (error instanceof MatrixError ? error.status : error),
        );
    expect(await attempt('192.0.2.1', passwordOfTests)).toBe('in');
    const guesses = async (address: string): Promise<unknown> => {
      const answers: unknown[] = [];
      for (let count = 0; count < 6; count++) answers.push(await attempt(address, 'guess'));
      return answers;
    };
    // One address gets nowhere, and harms no other.
    expect(await guesses('198.51.100.1')).toEqual([403, 403, 403, 403, 403, 429]);
    expect(await attempt('203.0.113.7', passwordOfTests)).toBe('in');
    // Many addresses use up what strangers have together; whoever was here before is none of them.
    expect(await guesses('198.51.100.2')).toEqual([403, 403, 403, 429, 429, 429]);
    expect(await attempt('198.51.100.3', passwordOfTests)).toBe(429);
    expect(await attempt('192.0.2.1', passwordOfTests)).toBe('in');
    expect(await attempt('203.0.113.7', passwordOfTests)).toBe('in');
  });

  it('are counted alike for who is there and who is not, and apart from those of addresses', async () => {
    const { clock } = testPorts(1);
    const attempts = new TokenBuckets({ loginFailures: { perSecond: 1, burst: 2 } }, clock);
    const { request, register } = await start({ attempts });
    await register('alice');
    const statuses = async (...names: string[]) => {
      const answers: number[] = [];
      for (const name of names)
        answers.push((await request('POST', loginPath, { body: passwordAuth(name, 'wrong') })).status);
      return answers;
    };
    expect(await statuses('ALICE', '@Alice:test', 'alice')).toEqual([403, 403, 429]);
    expect(await statuses('NOBODY', '@Nobody:test', 'nobody')).toEqual([403, 403, 429]);
    expect(await statuses('192.0.2.1', '192.0.2.1', '192.0.2.1')).toEqual([403, 403, 429]);
    expect(attempts.take('loginFailures', 'address', '192.0.2.1')).toBe(0);
  });
});
