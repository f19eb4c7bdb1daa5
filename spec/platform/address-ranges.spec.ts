import { describe, expect, it } from 'vitest';
import {
  AddressRanges,
  isLoopbackAddress,
  isPublicAddress,
  parseAddressRange,
} from '../../src/platform/address-ranges.ts';

describe('isPublicAddress', () => {
  it.each([
    '8.8.8.8',
    '1.1.1.1',
    '172.32.0.1',
    '100.128.0.1',
    '192.0.1.1',
    '2001:4860:4860::8888',
    '2a00:1450:4001::1',
    '::ffff:8.8.8.8',
    '::ffff:808:808',
    '64:ff9b::8.8.8.8',
    '64:ff9b::808:808',
  ])('%s is', (address) => {
    expect(isPublicAddress(address)).toBe(true);
  });

  it.each([
    '0.0.0.0',
    '10.1.2.3',
    '100.64.0.1',
    '127.0.0.1',
    '127.88.1.1',
    '169.254.169.254',
    '172.16.0.1',
    '172.31.255.255',
    '192.0.0.1',
    '192.0.2.1',
    '192.168.1.1',
    '198.18.0.1',
    '198.51.100.7',
    '203.0.113.7',
    '224.0.0.1',
    '240.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::ffff:127.0.0.1',
    '::ffff:7f00:1',
    '0:0:0:0:0:ffff:a00:1',
    '::127.0.0.1',
    '64:ff9b::7f00:1',
    '64:ff9b::10.0.0.1',
    '64:ff9b:1::1',
    '100::1',
    '2001::1',
    '2001:db8::1',
    '2002:7f00:1::1',
    '3fff::1',
    '5f00::1',
    'fc00::1',
    'fd12:3456::1',
    'fe80::1',
    'fe80::1%eth0',
    'fec0::1',
    'ff02::1',
    'localhost',
    '127.1',
    '0x7f.0.0.1',
    '',
  ])('%j is not', (address) => {
    expect(isPublicAddress(address)).toBe(false);
  });
});

describe('AddressRanges', () => {
  it('holds ranges and single addresses of both families', () => {
    const ranges = new AddressRanges(['10.0.0.0/8', '192.168.7.7', 'fd00::/8', '::1']);
    for (const address of ['10.255.0.1', '192.168.7.7', 'fd00::1', '::1', '::ffff:10.0.0.1', '::ffff:a00:1'])
      expect(ranges.has(address), address).toBe(true);
    for (const address of ['11.0.0.1', '192.168.7.8', 'fe00::1', '::2', '::ffff:11.0.0.1', 'ten'])
      expect(ranges.has(address), address).toBe(false);
  });

  it('refuses what is not a range', () => {
    for (const text of ['10.0.0.0/33', '::/129', '10.0.0', 'example.org', '10.0.0.0/-1', '10.0.0.0/', '/8', '']) {
      expect(parseAddressRange(text), text).toBeUndefined();
      expect(() => new AddressRanges([text])).toThrow(RangeError);
    }
  });

  it('knows the loopback addresses', () => {
    for (const address of ['127.0.0.1', '127.88.1.1', '::1', '::ffff:127.0.0.1'])
      expect(isLoopbackAddress(address)).toBe(true);
    for (const address of ['0.0.0.0', '::', '128.0.0.1', 'localhost']) expect(isLoopbackAddress(address)).toBe(false);
  });
});
