import { describe, expect, it } from 'vitest';
import { TokenBuckets } from '../../src/http/rate-limiter.ts';
import { testPorts } from '../support/test-ports.ts';

describe('TokenBuckets', () => {
  it('lets a burst through, then the rate, and a refused call costs nothing', async () => {
    const ports = testPorts();
    const buckets = new TokenBuckets({ send: { perSecond: 2, burst: 3 } }, ports.clock);
    const take = (): number => buckets.take('send', 'user', '@a:b');
    expect([take(), take(), take()]).toEqual([0, 0, 0]);
    expect(take()).toBe(500);
    expect(take()).toBe(500);
    await ports.advance(400);
    expect(take()).toBeCloseTo(100, 6);
    await ports.advance(100);
    expect([take(), take()]).toEqual([0, 500]);
    await ports.advance(3_600_000);
    expect([take(), take(), take(), take()]).toEqual([0, 0, 0, 500]);
  });

  it('counts every class and caller by itself, and classes without a limit not at all', () => {
    const { clock } = testPorts();
    const buckets = new TokenBuckets({ send: { perSecond: 1, burst: 1 }, login: { perSecond: 1, burst: 1 } }, clock);
    expect([
      buckets.take('send', 'user', 'a'),
      buckets.take('login', 'user', 'a'),
      buckets.take('send', 'user', 'b'),
    ]).toEqual([0, 0, 0]);
    expect(buckets.take('send', 'user', 'a')).toBeGreaterThan(0);
    for (let index = 0; index < 1_000; index++) expect(buckets.take('read', 'user', 'a')).toBe(0);
  });

  it('counts by other limits from one moment to the next, and forgets nobody', () => {
    const { clock } = testPorts();
    const buckets = new TokenBuckets({ send: { perSecond: 1, burst: 5 }, login: { perSecond: 1, burst: 1 } }, clock);
    const take = (): number => buckets.take('send', 'user', 'a');
    expect([take(), take(), buckets.take('login', 'user', 'a')]).toEqual([0, 0, 0]);
    buckets.replace({ send: { perSecond: 2, burst: 3 } });
    expect([take(), take(), buckets.take('login', 'user', 'a')]).toEqual([0, 500, 0]);
    buckets.replace({ send: { perSecond: 2, burst: 1 } });
    expect(take()).toBe(500);
  });

  it('says a finite time even where the rate is zero', () => {
    const buckets = new TokenBuckets({ send: { perSecond: 0, burst: 1 } }, testPorts().clock);
    expect([buckets.take('send', 'user', 'a'), buckets.take('send', 'user', 'a')]).toEqual([0, 3_600_000]);
  });

  it('stays bounded, and forgets the full and the oldest first', async () => {
    const ports = testPorts();
    const buckets = new TokenBuckets({ send: { perSecond: 0.001, burst: 1 } }, ports.clock, 100);
    for (let index = 0; index < 10_000; index++) {
      buckets.take('send', 'user', `early ${index}`);
      expect(buckets.size).toBeLessThanOrEqual(100);
    }
    expect(buckets.take('send', 'user', 'early 9999')).toBeGreaterThan(0);
    await ports.advance(1_000_000);
    buckets.take('send', 'user', 'late');
    for (let index = 0; index < 50; index++) buckets.take('send', 'user', `later ${index}`);
    expect(buckets.take('send', 'user', 'late')).toBeGreaterThan(0);
  });

  it('forgets nothing of users and accounts however many addresses come', () => {
    const limit = { perSecond: 0.001, burst: 1 };
    const buckets = new TokenBuckets({ send: limit, loginFailures: limit, read: limit }, testPorts().clock, 100);
    const spent = (): readonly number[] => [
      buckets.take('send', 'user', '@a:b'),
      buckets.take('loginFailures', 'account', '@a:b 192.0.2.1'),
    ];
    expect(spent()).toEqual([0, 0]);
    for (let index = 0; index < 10_000; index++) buckets.take('read', 'address', `192.0.2.1 ${index}`);
    expect(spent().every((retryAfterMs) => retryAfterMs > 0)).toBe(true);
    expect(buckets.size).toBeLessThanOrEqual(300);
  });

  it('takes back what was counted, up to the burst', () => {
    const buckets = new TokenBuckets({ send: { perSecond: 0.001, burst: 2 } }, testPorts().clock);
    const take = (): boolean => buckets.take('send', 'user', 'a') === 0;
    expect([take(), take(), take()]).toEqual([true, true, false]);
    buckets.giveBack('send', 'user', 'a');
    expect([take(), take()]).toEqual([true, false]);
    for (let index = 0; index < 10; index++) buckets.giveBack('send', 'user', 'a');
    expect([take(), take(), take()]).toEqual([true, true, false]);
    buckets.giveBack('send', 'user', 'nobody');
    expect(buckets.size).toBe(1);
  });
});
