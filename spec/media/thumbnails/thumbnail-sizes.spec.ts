import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type SizeSettings, type ThumbnailSize, thumbnailSize } from '../../../src/media/thumbnails/thumbnail-sizes.ts';

const sizes: readonly ThumbnailSize[] = [
  { width: 32, height: 32, method: 'crop' },
  { width: 96, height: 96, method: 'crop' },
  { width: 320, height: 240, method: 'scale' },
  { width: 800, height: 600, method: 'scale' },
];
const dynamic: SizeSettings = { dynamic: true, sizes };
const fixed: SizeSettings = { dynamic: false, sizes };
const crop = (width: number, height: number): ThumbnailSize => ({ width, height, method: 'crop' });
const scale = (width: number, height: number): ThumbnailSize => ({ width, height, method: 'scale' });
const photo = { width: 4_000, height: 3_000 };

describe('the size of a thumbnail', () => {
  it.each([
    ['scales into the wish', scale(800, 600), photo, scale(800, 600)],
    ['keeps the proportions of the image', scale(800, 600), { width: 3_000, height: 4_000 }, scale(480, 640)],
    ['is rounded up', scale(300, 300), photo, scale(320, 240)],
    ['cuts to the proportions of the wish', crop(96, 96), photo, crop(96, 96)],
    ['cuts to the proportions of the wish, rounded up', crop(60, 40), photo, crop(64, 43)],
    ['cuts a panorama', crop(400, 100), { width: 9_000, height: 300 }, crop(400, 100)],
    ['is never larger than the image', crop(500, 500), { width: 1_000, height: 100 }, crop(100, 100)],
    ['is bounded', scale(100_000, 100_000), { width: 200_000, height: 100_000 }, scale(2_048, 1_024)],
  ])('%s', (_what, wish, image, size) => {
    expect(thumbnailSize(wish, image, dynamic)).toEqual(size);
  });

  it('is that of the image where this is no larger than the wish', () => {
    for (const settings of [dynamic, fixed]) {
      expect(thumbnailSize(scale(800, 600), { width: 800, height: 600 }, settings)).toBeUndefined();
      expect(thumbnailSize(crop(800, 600), { width: 20, height: 30 }, settings)).toBeUndefined();
    }
    expect(thumbnailSize(scale(790, 600), { width: 795, height: 100 }, dynamic)).toBeUndefined();
  });

  it('is one of the given sizes where no others are made', () => {
    expect(thumbnailSize(crop(33, 10), photo, fixed)).toEqual(crop(96, 96));
    expect(thumbnailSize(crop(500, 500), photo, fixed)).toEqual(crop(96, 96));
    expect(thumbnailSize(scale(10, 10), photo, fixed)).toEqual(scale(320, 240));
    expect(thumbnailSize(scale(10, 10), photo, { dynamic: false, sizes: [crop(96, 96)] })).toEqual(crop(96, 96));
  });

  const side = fc.integer({ min: 1, max: 20_000 });
  const aWish = fc.record({ width: side, height: side, method: fc.constantFrom('crop', 'scale') });
  const anImage = fc.record({ width: side, height: side });

  it('is within the image, and not below the wish where it need not be', () => {
    fc.assert(
      fc.property(aWish, anImage, (wish, image) => {
        const size = thumbnailSize(wish, image, dynamic);
        if (size === undefined) return;
        expect(size.width).toBeLessThanOrEqual(image.width);
        expect(size.height).toBeLessThanOrEqual(image.height);
        expect(Math.min(size.width, size.height)).toBeGreaterThan(0);
        const isSmall = Math.max(wish.width, wish.height) <= 500;
        const isCovered =
          image.width >= 2 * wish.width && image.height >= 2 * wish.height && wish.width < 4 * wish.height;
        if (isSmall && isCovered && wish.height < 4 * wish.width && image.width >= 2_100 && image.height >= 2_100) {
          const reached = [size.width >= wish.width, size.height >= wish.height];
          expect(wish.method === 'crop' ? reached.every(Boolean) : reached.some(Boolean)).toBe(true);
        }
      }),
      { numRuns: 3_000 },
    );
  });

  it('is one of few for an image, whatever is asked for', () => {
    fc.assert(
      fc.property(anImage, fc.array(aWish, { minLength: 300, maxLength: 300 }), (image, wishes) => {
        const found = new Set(wishes.map((wish) => JSON.stringify(thumbnailSize(wish, image, dynamic))));
        expect(found.size).toBeLessThanOrEqual(17 + 17 * 15 + 1);
        const fewer = new Set(wishes.map((wish) => JSON.stringify(thumbnailSize(wish, image, fixed))));
        expect(fewer.size).toBeLessThanOrEqual(sizes.length + 1);
      }),
      { numRuns: 20 },
    );
  });
});
