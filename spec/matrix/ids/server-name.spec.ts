import * as fc from 'fast-check';
import { isIPv4, isIPv6 } from 'node:net';
import { describe, expect, test } from 'vitest';
import { isIpv4Address, isIpv6Address, isServerName, parseServerName } from '../../../src/matrix/ids/server-name.ts';
import { describeShared, loadFixture } from '../../support/shared.ts';

interface Case {
  readonly origin: string;
  readonly server_name: string;
  readonly valid: boolean;
  readonly host?: string;
  readonly port?: number | null;
  readonly ip_literal?: boolean;
}

describeShared('server-name/cases.json', () => {
  const { cases } = loadFixture<{ cases: Case[] }>('server-name/cases.json');
  test.each(cases)('$server_name ($origin)', ({ server_name, valid, host, port, ip_literal }) => {
    const parts = parseServerName(server_name);
    expect(isServerName(server_name)).toBe(valid);
    expect(parts !== undefined).toBe(valid);
    if (host !== undefined) expect(parts?.host).toBe(host);
    if (port !== undefined) expect(parts?.port ?? null).toBe(port);
    if (ip_literal !== undefined) expect(parts?.isIpLiteral).toBe(ip_literal);
  });
});

describe('server names', () => {
  test.each(['example.org:65536', 'a..b', 'example.org.', 'a'.repeat(256), '[::1', '[::1]:', '[1.2.3.4]', 'ex ample'])(
    'refuses %j',
    (name) => {
      expect(isServerName(name)).toBe(false);
    },
  );

  test('a dotted quad out of range is a DNS name, not an IP literal', () => {
    expect(parseServerName('1.2.3.256')).toEqual({ host: '1.2.3.256', port: undefined, isIpLiteral: false });
  });

  test('what is no string is no server name', () => {
    expect(isServerName(undefined)).toBe(false);
    expect(isServerName(8448)).toBe(false);
  });
});

describe('IP addresses, against Node', () => {
  test('IPv4', () => {
    const part = fc.oneof(fc.nat(300).map(String), fc.constantFrom('', '00', '01', 'a'));
    fc.assert(
      fc.property(fc.array(part, { minLength: 3, maxLength: 5 }), (parts) => {
        expect(isIpv4Address(parts.join('.'))).toBe(isIPv4(parts.join('.')));
      }),
      { numRuns: 2000 },
    );
  });

  test('IPv6', () => {
    const part = fc.oneof(
      fc.stringMatching(/^[0-9a-fA-F]{1,4}$/),
      fc.constantFrom('', '', '1.2.3.4', '12345', 'g', '1.2.3.256'),
    );
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 10 }), (parts) => {
        const text = parts.join(':');
        expect(isIpv6Address(text)).toBe(isIPv6(text));
      }),
      { numRuns: 20_000 },
    );
    fc.assert(
      fc.property(fc.ipV6(), (text) => {
        expect(isIpv6Address(text)).toBe(isIPv6(text));
      }),
      { numRuns: 2000 },
    );
  });
});
