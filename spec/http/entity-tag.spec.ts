import { describe, expect, it } from 'vitest';
import { isNamedIn, isRangeAllowed } from '../../src/http/entity-tag.ts';

describe('If-None-Match', () => {
  it.each(['"a"', 'W/"a"', '*', ' * ', '"b", "a"', '"b",W/"a"', '"b,c", "a"'])('%s names the tag', (header) => {
    expect(isNamedIn(header, '"a"')).toBe(true);
  });
  it.each([undefined, '', 'a', '"A"', '"b"', '"xa"', '"a', '"b, a"'])('%s does not', (header) => {
    expect(isNamedIn(header, '"a"')).toBe(false);
  });
});

describe('If-Range', () => {
  it.each([undefined, '"a"', ' "a" '])('%s lets a part be answered', (header) => {
    expect(isRangeAllowed(header, '"a"')).toBe(true);
  });
  it.each(['', 'W/"a"', '"b"', 'Wed, 21 Oct 2015 07:28:00 GMT'])('%s wants all of it', (header) => {
    expect(isRangeAllowed(header, '"a"')).toBe(false);
  });
});
