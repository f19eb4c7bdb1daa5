import fc from 'fast-check';
import { expect, it } from 'vitest';
import { partBytesOf } from '../../src/media/s3-publisher.ts';

it('parts are of 8 MiB, and larger only where 10 000 would not do', () => {
  expect(partBytesOf(4_294_967_296)).toBe(8_388_608);
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2 ** 42 }), (sizeBytes) => {
      const partBytes = partBytesOf(sizeBytes);
      expect(partBytes).toBeGreaterThanOrEqual(8_388_608);
      expect(partBytes % 1_048_576).toBe(0);
      expect(Math.ceil(sizeBytes / partBytes)).toBeLessThanOrEqual(10_000);
    }),
  );
});
