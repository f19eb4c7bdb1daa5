import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { decodeNumbers, encodeNumbers } from '../../../src/rooms/dag/varint.ts';

it('gives back every list of safe integers', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.nat(), fc.maxSafeNat())), (numbers) => {
      expect(decodeNumbers(encodeNumbers(numbers))).toEqual(numbers);
    }),
  );
});

it.each([
  [[0], '00'],
  [[127, 128], '7f8001'],
  [[Number.MAX_SAFE_INTEGER], 'ffffffffffffff0f'],
])('writes %j as %s', (numbers, hex) => {
  expect(encodeNumbers(numbers).toString('hex')).toBe(hex);
});
