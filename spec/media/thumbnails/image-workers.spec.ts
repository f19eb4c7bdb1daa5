import sharp from 'sharp';
import { afterEach, describe, expect, it } from 'vitest';
import type { MadeThumbnail } from '../../../src/media/thumbnails/image-worker.ts';
import { ImageRefused, ImageWorkers } from '../../../src/media/thumbnails/image-workers.ts';
import type { ThumbnailSize } from '../../../src/media/thumbnails/thumbnail-sizes.ts';
import { limits } from '../../../src/platform/limits.ts';
import { processWorkers } from '../../../src/platform/worker-processes.ts';
import { type TestPorts, testPorts } from '../../support/test-ports.ts';
import { lyingPng, movingGif, picture, pieces } from '../support/pictures.ts';

const started: ImageWorkers[] = [];
afterEach(() => Promise.all(started.splice(0).map((workers) => workers.close())));

/** In processes of their own, with a clock that stands still. */
function start(ports: TestPorts = testPorts(), processesMax = 1): ImageWorkers {
  const workers = new ImageWorkers({ ...ports, processes: processWorkers, processesMax, pixelsMax: 40_000_000 });
  started.push(workers);
  return workers;
}
const scale = (width: number, height: number): ThumbnailSize => ({ width, height, method: 'scale' });
const crop = (width: number, height: number): ThumbnailSize => ({ width, height, method: 'crop' });
const make = (workers: ImageWorkers, bytes: Buffer, size: ThumbnailSize, isAnimated = false): Promise<MadeThumbnail> =>
  workers.make(async () => pieces(bytes), size, isAnimated);
const reasonOf = (made: Promise<unknown>): Promise<unknown> =>
  made.then(
    () => 'made',
    (error: unknown) => (error instanceof ImageRefused ? error.reason : error),
  );

describe('thumbnails', () => {
  it('of photographs are JPEG, upright and without what the camera wrote', async () => {
    const exif = { IFD0: { Copyright: 'Somebody' }, IFD3: { GPSLatitudeRef: 'N' } };
    const photo = await picture().jpeg().withMetadata({ orientation: 6, exif }).toBuffer();
    expect((await sharp(photo).metadata()).exif).toBeDefined();
    const made = await make(start(), photo, scale(100, 150));
    expect(made).toMatchObject({ contentType: 'image/jpeg', width: 100, height: 150 });
    const facts = await sharp(made.bytes).metadata();
    expect(facts).toMatchObject({ format: 'jpeg', width: 100, height: 150 });
    for (const name of ['exif', 'icc', 'xmp', 'iptc', 'orientation'] as const) expect(facts[name]).toBeUndefined();
    // Turned by 90 degrees to the right: what was above is on the right.
    const { data } = await sharp(made.bytes).raw().toBuffer({ resolveWithObject: true });
    const [left, right] = [data.subarray(75 * 300, 75 * 300 + 3), data.subarray(75 * 300 + 297, 75 * 300 + 300)];
    expect(left[2]).toBeGreaterThan(200);
    expect(right[0]).toBeGreaterThan(200);
  });

  it('of pictures with transparency are PNG and keep it', async () => {
    const made = await make(start(), await picture({ channels: 4 }).png().toBuffer(), crop(96, 96));
    expect(made).toMatchObject({ contentType: 'image/png', width: 96, height: 96 });
    expect(await sharp(made.bytes).metadata()).toMatchObject({ format: 'png', hasAlpha: true });
    expect((await sharp(made.bytes).stats()).isOpaque).toBe(false);
  });

  it.each([
    ['PNG', () => picture().png().toBuffer()],
    ['interlaced PNG', () => picture().png({ progressive: true }).toBuffer()],
    ['WebP', () => picture().webp().toBuffer()],
    ['GIF', () => picture().gif().toBuffer()],
    ['AVIF', () => picture().avif().toBuffer()],
    ['CMYK JPEG', () => picture().toColourspace('cmyk').jpeg().toBuffer()],
  ])('are made of %s', async (_format, image) => {
    const made = await make(start(), await image(), scale(90, 60));
    const facts = await sharp(made.bytes).metadata();
    expect(facts).toMatchObject({ width: 90, height: 60, space: 'srgb' });
    expect(made.contentType).toBe(`image/${facts.format}`);
  });

  it('move where that is wanted, and only then', async () => {
    const workers = start();
    const gif = movingGif(5);
    const moving = await make(workers, gif, crop(20, 20), true);
    expect(moving).toMatchObject({ contentType: 'image/webp', width: 20, height: 20 });
    expect(await sharp(moving.bytes).metadata()).toMatchObject({ pages: 5, width: 20 });
    const still = await make(workers, gif, crop(20, 20));
    expect((await sharp(still.bytes).metadata()).pages ?? 1).toBe(1);
    const photo = await make(workers, await picture().jpeg().toBuffer(), crop(20, 20), true);
    expect(photo.contentType).toBe('image/jpeg');
  });

  it('of images cut off in the middle show what is there', async () => {
    const photo = await picture({ width: 800, height: 600 }).jpeg({ progressive: false, quality: 100 }).toBuffer();
    expect(await make(start(), photo.subarray(0, photo.length / 2), scale(80, 60))).toMatchObject({ width: 80 });
  });

  it('are not made of what is no image, or one that could do more', async () => {
    const workers = start();
    const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><image href="file:///etc/passwd"/></svg>';
    const others = [
      Buffer.from(''),
      Buffer.from('hello'),
      Buffer.from(svg),
      Buffer.from('%PDF-1.7\n'),
      Buffer.alloc(9_999),
    ];
    for (const bytes of [...others, await picture().tiff().toBuffer()])
      expect(await reasonOf(make(workers, bytes, scale(9, 9)))).toBe('unreadable');
    // The process goes on: a refusal costs no start.
    expect(await make(workers, await picture().png().toBuffer(), scale(9, 6))).toMatchObject({ width: 9 });
    expect(workers.count).toBe(1);
  });
});

describe('bombs', () => {
  it('that are too large are refused before they are unpacked, also where the header lies', async () => {
    const workers = start();
    const small = await picture().png().toBuffer();
    expect(await reasonOf(make(workers, lyingPng(small, 60_000, 60_000), scale(32, 32)))).toBe('too large');
    expect(await reasonOf(make(workers, lyingPng(small, 6_400, 6_400), scale(32, 32)))).toBe('too large');
    // Within the limit and a lie all the same: there are fewer pixels than it says.
    expect(await reasonOf(make(workers, lyingPng(small, 3_000, 3_000), scale(32, 32)))).toMatch(/made|unreadable/);
  });

  it('that are packed a thousand times take no more than a process may', async () => {
    const bomb = await sharp({ create: { width: 6_000, height: 6_000, channels: 3, background: '#000' } })
      .png({ compressionLevel: 9 })
      .toBuffer();
    expect(bomb.length).toBeLessThan(200_000);
    const workers = start();
    expect(await make(workers, bomb, crop(32, 32))).toMatchObject({ width: 32 });
    expect(workers.count).toBe(1);
  });

  it('of pictures without end do not move', async () => {
    const made = await make(start(), movingGif(limits.thumbnailFramesMax + 1, 4, 4), scale(2, 2), true);
    expect((await sharp(made.bytes).metadata()).pages ?? 1).toBe(1);
  });
});

describe('processes for thumbnails', () => {
  it('are started when there is work and ended when there was none for a while', async () => {
    const ports = testPorts();
    const workers = start(ports, 2);
    expect(workers.count).toBe(0);
    const bytes = await picture().png().toBuffer();
    await Promise.all(Array.from({ length: 6 }, () => make(workers, bytes, scale(9, 6))));
    expect(workers.count).toBe(2);
    await ports.advance(limits.thumbnailProcessIdleMs - 1);
    expect(workers.count).toBe(2);
    await ports.advance(1);
    expect(workers.count).toBe(0);
    expect(await make(workers, bytes, scale(9, 6))).toMatchObject({ width: 9 });
  });

  it('that take too long are ended, and their image is refused', async () => {
    const ports = testPorts();
    const workers = start(ports);
    const reading = Promise.withResolvers<void>();
    async function* endless(): AsyncIterable<Buffer> {
      yield Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');
      reading.resolve();
      for (;;) yield Buffer.alloc(1_000);
    }
    const outcome = reasonOf(workers.make(async () => endless(), scale(9, 6), false));
    await reading.promise;
    await ports.advance(limits.thumbnailMs);
    expect(await outcome).toBe('unreadable');
    expect(workers.count).toBe(0);
    expect(await make(workers, await picture().png().toBuffer(), scale(9, 6))).toMatchObject({ width: 9 });
  });

  it('are not blamed for what goes wrong before the image reaches them', async () => {
    const workers = start();
    const failing = workers.make(() => Promise.reject(new Error('the disk is gone')), scale(9, 6), false);
    await expect(failing).rejects.toThrow('the disk is gone');
    expect(await make(workers, await picture().png().toBuffer(), scale(9, 6))).toMatchObject({ width: 9 });
  });
});
