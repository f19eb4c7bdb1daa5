import { describe, expect, it } from 'vitest';
import { acceptedEncodings } from '../../src/http/accept-encoding.ts';

describe('Accept-Encoding', () => {
  it.each<[string | undefined, string | undefined, boolean]>([
    [undefined, undefined, true],
    ['', undefined, true],
    ['identity', undefined, true],
    ['gzip', 'gzip', true],
    ['x-gzip', 'gzip', true],
    ['GZIP', 'gzip', true],
    ['br', 'br', true],
    ['gzip, deflate, br, zstd', 'br', true],
    ['gzip,deflate,br', 'br', true],
    ['deflate', undefined, true],
    ['*', 'br', true],
    ['br;q=0.5, gzip', 'gzip', true],
    ['br;q=0.5, gzip;q=0.5', 'br', true],
    ['br;q=0, gzip', 'gzip', true],
    ['br ; q=0.001', 'br', true],
    ['*;q=0', undefined, false],
    ['*;q=0, gzip', 'gzip', false],
    ['gzip;q=0, *', 'br', true],
    ['identity;q=0', undefined, false],
    ['identity;q=0, br', 'br', false],
    ['gzip;q=0.5, identity', undefined, true],
    ['gzip, identity;q=0.5', 'gzip', true],
    ['gzip;q=1.5', undefined, true],
    ['gzip;level=9', undefined, true],
    [';;;,,q=1', undefined, true],
    ['gzip\u0000', undefined, true],
  ])('%j asks for %s', (header, best, takesIdentity) => {
    expect(acceptedEncodings(header)).toEqual({ best, takesIdentity });
    expect(acceptedEncodings(header)).toEqual({ best, takesIdentity });
  });

  it('takes any number of different texts', () => {
    for (let index = 0; index < 1_000; index++)
      expect(acceptedEncodings(`gzip;q=0.${index % 10}, br, x${index}`).best).toBe('br');
  });
});
