import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { phoneNumberCandidates } from '../../src/accounts/phone-number.ts';
import { parseUserIdentifier } from '../../src/accounts/user-identifier.ts';
import type { JsonObject } from '../../src/matrix/json/json-value.ts';

describe('parseUserIdentifier', () => {
  const read: readonly (readonly [JsonObject, object])[] = [
    [{ identifier: { type: 'm.id.user', user: 'alice' } }, { kind: 'user', user: 'alice' }],
    [{ identifier: { type: 'm.id.user', user: '@alice:example.org' } }, { kind: 'user', user: '@alice:example.org' }],
    [
      { identifier: { type: 'm.id.thirdparty', medium: 'email', address: ' Alice@Example.ORG' } },
      { kind: 'threepid', medium: 'email', addresses: ['alice@example.org'] },
    ],
    [
      { identifier: { type: 'm.id.thirdparty', medium: 'msisdn', address: '447700900123' } },
      { kind: 'threepid', medium: 'msisdn', addresses: ['447700900123'] },
    ],
    [
      { identifier: { medium: 'email', address: 'alice@example.org' } },
      { kind: 'threepid', medium: 'email', addresses: ['alice@example.org'] },
    ],
    [
      { identifier: { type: 'm.id.phone', country: 'GB', phone: '07700 900123' } },
      { kind: 'threepid', medium: 'msisdn', addresses: ['447700900123', '4407700900123'] },
    ],
    [
      { identifier: { type: 'm.id.phone', country: 'GB', number: '+44 7700 900123' } },
      { kind: 'threepid', medium: 'msisdn', addresses: ['447700900123'] },
    ],
    [
      { user: 'alice', password: 'x' },
      { kind: 'user', user: 'alice' },
    ],
    [
      { medium: 'email', address: 'alice@example.org' },
      { kind: 'threepid', medium: 'email', addresses: ['alice@example.org'] },
    ],
    // The modern form wins over the deprecated one.
    [
      { identifier: { type: 'm.id.user', user: 'alice' }, user: 'bob' },
      { kind: 'user', user: 'alice' },
    ],
  ];
  it.each(read)('reads %j', (body, expected) => {
    expect(parseUserIdentifier(body)).toEqual(expected);
  });

  it.each([
    [{}, 'M_MISSING_PARAM'],
    [{ identifier: null }, 'M_MISSING_PARAM'],
    [{ identifier: 'alice' }, 'M_BAD_JSON'],
    [{ identifier: {} }, 'M_MISSING_PARAM'],
    [{ identifier: { type: 'm.id.user' } }, 'M_MISSING_PARAM'],
    [{ identifier: { type: 'm.id.user', user: 7 } }, 'M_BAD_JSON'],
    [{ identifier: { type: 'm.id.unknown', user: 'alice' } }, 'M_INVALID_PARAM'],
    [{ identifier: { type: 'm.id.thirdparty', medium: 'email' } }, 'M_MISSING_PARAM'],
    [{ identifier: { type: 'm.id.thirdparty', medium: 'email', address: 'nobody' } }, 'M_INVALID_PARAM'],
    [{ identifier: { type: 'm.id.phone', country: 'GB' } }, 'M_MISSING_PARAM'],
    [{ identifier: { type: 'm.id.phone', country: 'QQ', phone: '07700900123' } }, 'M_INVALID_PARAM'],
    [{ identifier: { type: 'm.id.phone', country: 'GB', phone: 'none' } }, 'M_INVALID_PARAM'],
    [{ medium: 'email' }, 'M_MISSING_PARAM'],
  ] as readonly (readonly [JsonObject, string])[])('refuses %j with %s', (body, errcode) => {
    expect(() => parseUserIdentifier(body)).toThrow(expect.objectContaining({ status: 400, errcode }));
  });
});

describe('phoneNumberCandidates', () => {
  it.each([
    ['DE', '030 1234567', ['49301234567', '490301234567']],
    ['IT', '06 1234567', ['3961234567', '39061234567']],
    ['RU', '8 (912) 345-67-89', ['79123456789', '789123456789']],
    ['US', '1 201-555-0123', ['12015550123', '112015550123']],
    ['US', '(201) 555-0123', ['12015550123']],
    ['US', '0044 7700 900123', ['447700900123']],
    ['gb', '+447700900123', ['447700900123']],
    ['XX', '+447700900123', ['447700900123']],
    ['XX', '7700900123', []],
    ['GB', '', []],
    ['GB', '1'.repeat(21), []],
  ])('%s %s', (country, phone, expected) => {
    expect(phoneNumberCandidates(country, phone)).toEqual(expected);
  });

  it('gives digits for whatever is typed', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (country, phone) => {
        for (const candidate of phoneNumberCandidates(country, phone)) expect(candidate).toMatch(/^\d+$/);
      }),
    );
  });
});
