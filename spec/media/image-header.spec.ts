import fc from 'fast-check';
import sharp, { type Sharp } from 'sharp';
import { describe, expect, it } from 'vitest';
import { readImageHeader } from '../../src/media/image-header.ts';

const plain = (): Sharp =>
  sharp({ create: { width: 30, height: 20, channels: 3, background: { r: 200, g: 10, b: 10 } } });
const made: readonly (readonly [string, () => Promise<Buffer>, object])[] = [
  ['a PNG', () => plain().png().toBuffer(), { contentType: 'image/png', width: 30, height: 20, mayBeAnimated: false }],
  [
    'a JPEG',
    () => plain().jpeg().toBuffer(),
    { contentType: 'image/jpeg', width: 30, height: 20, mayBeAnimated: false },
  ],
  [
    'a progressive JPEG with metadata',
    () =>
      plain()
        .jpeg({ progressive: true })
        .withMetadata({ exif: { IFD0: { Copyright: 'x'.repeat(5_000) } } })
        .toBuffer(),
    { contentType: 'image/jpeg', width: 30, height: 20 },
  ],
  [
    'a JPEG that lies on its side',
    () => plain().jpeg().withMetadata({ orientation: 6 }).toBuffer(),
    { contentType: 'image/jpeg', width: 20, height: 30 },
  ],
  [
    'a JPEG that is upside down',
    () => plain().jpeg().withMetadata({ orientation: 3 }).toBuffer(),
    { contentType: 'image/jpeg', width: 30, height: 20 },
  ],
  ['a GIF', () => plain().gif().toBuffer(), { contentType: 'image/gif', width: 30, height: 20, mayBeAnimated: true }],
  [
    'a WebP',
    () => plain().webp().toBuffer(),
    { contentType: 'image/webp', width: 30, height: 20, mayBeAnimated: false },
  ],
  [
    'a lossless WebP',
    () => plain().webp({ lossless: true }).toBuffer(),
    { contentType: 'image/webp', width: 30, height: 20 },
  ],
  [
    'a WebP with metadata',
    () =>
      plain()
        .webp()
        .withMetadata({ exif: { IFD0: { Copyright: 'x' } } })
        .toBuffer(),
    { contentType: 'image/webp', width: 30, height: 20, mayBeAnimated: false },
  ],
  [
    'an AVIF',
    () => plain().avif().toBuffer(),
    { contentType: 'image/avif', width: 30, height: 20, mayBeAnimated: false },
  ],
];

describe('the header of an image', () => {
  it.each(made)('of %s is read', async (_what, make, header) => {
    expect(readImageHeader(await make())).toMatchObject(header);
  });

  it('is none of what is no image', async () => {
    const others = [
      '',
      'hello',
      '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>',
      '%PDF-1.7',
      'GIF89a',
    ];
    for (const text of others) expect(readImageHeader(Buffer.from(text)), text).toBeUndefined();
    expect(readImageHeader(await plain().tiff().toBuffer())).toBeUndefined();
  });

  it('is none of an image without an extent', async () => {
    const png = await plain().png().toBuffer();
    png.writeUInt32BE(0, 16);
    expect(readImageHeader(png)).toBeUndefined();
  });

  it('is read or not, whatever the bytes are', async () => {
    const images = await Promise.all(made.map(([, make]) => make()));
    fc.assert(
      fc.property(
        fc.constantFrom(...images),
        fc.nat(2_000),
        fc.array(fc.tuple(fc.nat(300), fc.nat(255)), { maxLength: 20 }),
        (image, length, changes) => {
          const bytes = Buffer.from(image.subarray(0, length));
          for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
          const header = readImageHeader(bytes);
          if (header !== undefined) expect(Math.min(header.width, header.height)).toBeGreaterThan(0);
        },
      ),
      { numRuns: 2_000 },
    );
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void readImageHeader(Buffer.from(bytes))));
  });
});
