import { describe, expect, it } from 'vitest';
import { callerOfAddress, TokenBuckets } from '../../src/http/rate-limiter.ts';
import { testPorts } from '../support/test-ports.ts';

describe('TokenBuckets', () => {
  it('lets a burst through, then the rate, and a refused call costs nothing', async () => {
    const ports = testPorts();
    const buckets = new TokenBuckets({ send: { perSecond: 2, burst: 3 } }, ports.clock);
    const take = (): number => buckets.take('send', '@a:b');
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
    expect([buckets.take('send', 'a'), buckets.take('login', 'a'), buckets.take('send', 'b')]).toEqual([0, 0, 0]);
    expect(buckets.take('send', 'a')).toBeGreaterThan(0);
    for (let index = 0; index < 1_000; index++) expect(buckets.take('read', 'a')).toBe(0);
  });

  it('says a finite time even where the rate is zero', () => {
    const buckets = new TokenBuckets({ send: { perSecond: 0, burst: 1 } }, testPorts().clock);
    expect([buckets.take('send', 'a'), buckets.take('send', 'a')]).toEqual([0, 3_600_000]);
  });

  it('stays bounded, and forgets the full and the oldest first', async () => {
    const ports = testPorts();
    const buckets = new TokenBuckets({ send: { perSecond: 0.001, burst: 1 } }, ports.clock, 100);
    for (let index = 0; index < 10_000; index++) {
      buckets.take('send', `early ${index}`);
      expect(buckets.size).toBeLessThanOrEqual(100);
    }
    expect(buckets.take('send', 'early 9999')).toBeGreaterThan(0);
    await ports.advance(1_000_000);
    buckets.take('send', 'late');
    for (let index = 0; index < 50; index++) buckets.take('send', `later ${index}`);
    expect(buckets.take('send', 'late')).toBeGreaterThan(0);
  });
});

describe('callerOfAddress', () => {
  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:DB8:0001:0002::1', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['2001:db8:1:2:3:4::', '2001:db8:1:2::/64'],
    ['1::2:3:4:5:192.0.2.1', '1:0:2:3::/64'],
    ['', ''],
  ])('counts %s as %s', (address, caller) => {
    expect(callerOfAddress(address)).toBe(caller);
  });
});
