import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hashToken, isPlausibleToken, mintToken } from '../../src/accounts/token-format.ts';
import { seededRandom } from '../support/test-ports.ts';

const random = seededRandom('tokens');

describe('tokens', () => {
  it('name their kind and are 42 characters that any header can carry', () => {
    expect(mintToken('access', random)).toMatch(/^vca_[A-Za-z0-9_-]{38}$/);
    expect(mintToken('refresh', random)).toMatch(/^vcr_[A-Za-z0-9_-]{38}$/);
    expect(mintToken('login', random)).toMatch(/^vcl_[A-Za-z0-9_-]{38}$/);
    expect(mintToken('openid', random)).toMatch(/^vco_[A-Za-z0-9_-]{38}$/);
    expect(mintToken('setup', random)).toMatch(/^vcs_[A-Za-z0-9_-]{38}$/);
    expect(mintToken('access', random)).not.toBe(mintToken('access', random));
  });

  it('are plausible as minted, and not when one character is another', () => {
    const token = mintToken('access', random);
    expect(isPlausibleToken(token)).toBe(true);
    fc.assert(
      fc.property(fc.integer({ min: 4, max: 41 }), fc.constantFrom('A', 'z', '0', '-'), (at, character) => {
        const altered = token.slice(0, at) + character + token.slice(at + 1);
        expect(isPlausibleToken(altered)).toBe(altered === token);
      }),
    );
  });

  it('of another form are left to the database to decide, unless they are too long', () => {
    expect(isPlausibleToken('syt_YWxpY2U_abc_1234')).toBe(true);
    expect(isPlausibleToken('x'.repeat(1025))).toBe(false);
  });

  it('hash to SHA-256', () => {
    expect(hashToken('abc').toString('hex')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  });
});
