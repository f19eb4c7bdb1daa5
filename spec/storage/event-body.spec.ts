import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeEventBody, encodeEventBody } from '../../src/storage/event-body.ts';

describe('event bodies', () => {
  it('come back as they were, behind a byte for the format', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const body = encodeEventBody(text);
        expect(body[0]).toBe(0);
        expect(decodeEventBody(body)).toBe(text);
      }),
    );
  });

  it('of a format from the future are refused', () => {
    expect(() => decodeEventBody(Buffer.from([1, 123, 125]))).toThrow('unknown format 1');
    expect(() => decodeEventBody(Buffer.alloc(0))).toThrow('unknown format');
  });
});
