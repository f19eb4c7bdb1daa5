import { describe, expect, it } from 'vitest';
import { callerOfAddress } from '../../src/platform/caller-of-address.ts';

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
