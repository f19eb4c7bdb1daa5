import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkNewPassword } from '../../src/accounts/password-policy.ts';
import { Passwords } from '../../src/accounts/passwords.ts';
import { formatPhc, parsePhc } from '../../src/accounts/phc-string.ts';
import { MatrixError } from '../../src/matrix/errors.ts';
import { testPorts } from '../support/test-ports.ts';

const cheap = { memoryKib: 8, passes: 1, concurrency: 1 };
const passwords = (options = cheap): Passwords => new Passwords(options, testPorts(1).random);
/** A vector of the reference implementation of Argon2 (phc-winner-argon2, test.c). */
const vector = '$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4';

describe('Passwords', () => {
  it('accepts the password that was hashed and no other', async () => {
    const phc = await passwords().hash('sUp3rs3kr1t');
    expect(phc).toMatch(/^\$argon2id\$v=19\$m=8,t=1,p=1\$[^$]{22}\$[^$]{43}$/);
    expect(await passwords().verify('sUp3rs3kr1t', phc)).toBe(true);
    expect(await passwords().verify('sUp3rs3kr1T', phc)).toBe(false);
    expect(await passwords().verify('', phc)).toBe(false);
  });

  it('salts: two hashes of one password differ', async () => {
    const hashing = passwords();
    expect(await hashing.hash('same')).not.toBe(await hashing.hash('same'));
  });

  it('agrees with the reference implementation, at the cost that the hash names', async () => {
    expect(await passwords().verify('password', vector)).toBe(true);
    expect(await passwords().verify('Password', vector)).toBe(false);
    expect(passwords().isCurrent(vector)).toBe(false);
    expect(passwords({ memoryKib: 256, passes: 2, concurrency: 1 }).isCurrent(vector)).toBe(true);
  });

  it('accepts a password in another composition of the same characters', async () => {
    const phc = await passwords().hash('\u00fcbers3kr1t');
    expect(await passwords().verify('u\u0308bers3kr1t', phc)).toBe(true);
  });

  it('refuses everything where there is no hash, or none that it knows', async () => {
    expect(await passwords().verify('password', undefined)).toBe(false);
    expect(await passwords().verify('', undefined)).toBe(false);
    expect(await passwords().verify('password', '$2b$12$p9B4GkqYdRTPGDxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx')).toBe(
      false,
    );
  });

  it('does not hash what is longer than any password may be', async () => {
    const phc = await passwords().hash('');
    expect(await passwords().verify('x'.repeat(2000), phc)).toBe(false);
  });

  it('tells callers to come back when too many wait, and recovers', async () => {
    const hashing = passwords();
    const results = await Promise.allSettled(Array.from({ length: 300 }, () => hashing.hash('busy')));
    const refused = results.filter((result) => result.status === 'rejected').map((result): unknown => result.reason);
    expect(refused).toHaveLength(300 - 1 - 256);
    for (const reason of refused) expect(reason).toMatchObject({ status: 429, errcode: 'M_LIMIT_EXCEEDED' });
    expect(await hashing.verify('busy', await hashing.hash('busy'))).toBe(true);
  });
});

describe('PHC strings', () => {
  it('survive the round trip', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 8, max: 1 << 20 }),
        fc.integer({ min: 1, max: 100 }),
        fc.uint8Array({ minLength: 8, maxLength: 64 }),
        fc.uint8Array({ minLength: 16, maxLength: 64 }),
        (memoryKib, passes, salt, hash) => {
          const phc = { memoryKib, passes, parallelism: 1, salt: Buffer.from(salt), hash: Buffer.from(hash) };
          expect(parsePhc(formatPhc(phc))).toEqual(phc);
        },
      ),
    );
  });

  it.each([
    '',
    'password',
    vector.replace('argon2id', 'argon2i'),
    vector.replace('v=19', 'v=16'),
    vector.replace('m=256', 'm=4'),
    vector.replace('t=2', 't=0'),
    vector.replace('p=1', 'p=0'),
    vector.replace('c29tZXNhbHQ', 'c29t'),
    `${vector}$more`,
  ])('refuse %j', (text) => {
    expect(parsePhc(text)).toBeUndefined();
  });
});

describe('checkNewPassword', () => {
  it('counts characters, not code units', () => {
    expect(() => checkNewPassword('🔑'.repeat(8), 8)).not.toThrow();
    expect(() => checkNewPassword('🔑'.repeat(7), 8)).toThrow(
      new MatrixError(400, 'M_WEAK_PASSWORD', 'The password must be at least 8 characters long'),
    );
  });

  it('refuses passwords beyond 512 bytes', () => {
    expect(() => checkNewPassword('x'.repeat(512), 8)).not.toThrow();
    expect(() => checkNewPassword('x'.repeat(513), 8)).toThrow(/at most 512 bytes/);
  });
});
