import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { wantedRange } from '../../src/http/byte-range.ts';

describe('the range that a request wants', () => {
  it.each([
    ['bytes=0-0', { start: 0, end: 1 }],
    ['bytes=0-', { start: 0, end: 100 }],
    ['bytes=99-', { start: 99, end: 100 }],
    ['bytes=10-19', { start: 10, end: 20 }],
    ['bytes=10-1000', { start: 10, end: 100 }],
    ['bytes=-1', { start: 99, end: 100 }],
    ['bytes=-100', { start: 0, end: 100 }],
    ['bytes=-1000', { start: 0, end: 100 }],
    ['Bytes= 1-2 ', { start: 1, end: 3 }],
    ['bytes=0-99999999999999999999999', { start: 0, end: 100 }],
  ])('%s is a part', (header, range) => {
    expect(wantedRange(header, 100)).toEqual(range);
  });

  it.each(['bytes=100-', 'bytes=100-200', 'bytes=99999999999999999999-', 'bytes=-0'])(
    '%s cannot be satisfied',
    (header) => {
      expect(wantedRange(header, 100)).toBe('unsatisfiable');
    },
  );

  it.each([
    undefined,
    '',
    'bytes',
    'bytes=',
    'bytes=-',
    'bytes=a-b',
    'bytes=5-2',
    'bytes=1.5-2',
    'bytes=+1-2',
    'items=0-5',
    'bytes=0-1,5-6',
    'bytes=0-5,2-9',
    'bytes=0-1, 0-1, 0-1',
    'bytes=0-1,,',
    'bytes=0x1-2',
  ])('%s is all of it', (header) => {
    expect(wantedRange(header, 100)).toBeUndefined();
  });

  it('is never satisfiable of nothing', () => {
    for (const header of ['bytes=0-', 'bytes=0-0', 'bytes=-5']) expect(wantedRange(header, 0)).toBe('unsatisfiable');
  });

  it('is within the content, whatever is asked for', () => {
    const texts = fc.oneof(
      fc.string(),
      fc.tuple(fc.nat(), fc.nat()).map(([a, b]) => `bytes=${a}-${b}`),
    );
    fc.assert(
      fc.property(texts, fc.nat({ max: 1_000 }), (header, sizeBytes) => {
        const range = wantedRange(header, sizeBytes);
        if (range === undefined || range === 'unsatisfiable') return;
        expect(range.start).toBeGreaterThanOrEqual(0);
        expect(range.end).toBeGreaterThan(range.start);
        expect(range.end).toBeLessThanOrEqual(sizeBytes);
      }),
    );
  });
});
