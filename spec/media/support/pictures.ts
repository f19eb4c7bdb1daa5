/** Pictures for specs: made on the spot, so that what is in them is known. */
import sharp, { type Sharp } from 'sharp';
import { crc32 } from 'node:zlib';

export interface PictureOptions {
  readonly width?: number;
  readonly height?: number;
  /** 4 with transparency. */
  readonly channels?: 3 | 4;
}

/** Red above, blue below. */
export function picture({ width = 300, height = 200, channels = 3 }: PictureOptions = {}): Sharp {
  const pixels = Buffer.alloc(width * height * channels, 255);
  for (let at = 0; at < width * height; at++) {
    const isUpper = at < (width * height) / 2;
    pixels.set(isUpper ? [255, 0, 0] : [0, 0, 255], at * channels);
    if (channels === 4) pixels[at * 4 + 3] = isUpper ? 255 : 0;
  }
  return sharp(pixels, { raw: { width, height, channels } });
}

/** A GIF whose pictures each are filled with one grey, each another than the one before. */
export function movingGif(frames: number, width = 40, height = 30): Buffer {
  const uint16 = (value: number): Buffer => Buffer.from([value & 255, value >> 8]);
  const palette = Buffer.from(Array.from({ length: 256 }, (_, grey) => [grey, grey, grey]).flat());
  const screen = Buffer.concat([
    Buffer.from('GIF89a'),
    uint16(width),
    uint16(height),
    Buffer.from([0xf7, 0, 0]),
    palette,
  ]);
  const parts: Buffer[] = [screen, Buffer.from('\x21\xff\x0bNETSCAPE2.0\x03\x01\0\0\0', 'latin1')];
  for (let frame = 0; frame < frames; frame++) {
    parts.push(Buffer.from([0x21, 0xf9, 4, 0, 5, 0, 0, 0]));
    parts.push(
      Buffer.concat([Buffer.from([0x2c]), uint16(0), uint16(0), uint16(width), uint16(height), Buffer.from([0])]),
    );
    parts.push(lzw((frame * 90) & 255, width * height));
  }
  parts.push(Buffer.from([0x3b]));
  return Buffer.concat(parts);
}

/** Pixels of one colour, as GIF's LZW without any compression: a clear code before each hundred. */
function lzw(colour: number, pixels: number): Buffer {
  const codes: number[] = [];
  for (let at = 0; at < pixels; at++) {
    if (at % 100 === 0) codes.push(256);
    codes.push(colour);
  }
  codes.push(257);
  const bytes: number[] = [];
  let bits = 0;
  let held = 0;
  for (const code of codes) {
    held |= code << bits;
    for (bits += 9; bits >= 8; bits -= 8, held >>= 8) bytes.push(held & 255);
  }
  if (bits > 0) bytes.push(held & 255);
  const blocks: Buffer[] = [Buffer.from([8])];
  for (let at = 0; at < bytes.length; at += 255) {
    const block = bytes.slice(at, at + 255);
    blocks.push(Buffer.from([block.length, ...block]));
  }
  return Buffer.concat([...blocks, Buffer.from([0])]);
}

/** A PNG that claims to have another size; its checksum is right. */
export function lyingPng(png: Buffer, width: number, height: number): Buffer {
  const lie = Buffer.from(png);
  lie.writeUInt32BE(width, 16);
  lie.writeUInt32BE(height, 20);
  lie.writeUInt32BE(crc32(lie.subarray(12, 29)), 29);
  return lie;
}

export async function* pieces(bytes: Buffer, pieceBytes = 65_536): AsyncIterable<Buffer> {
  for (let at = 0; at < bytes.length; at += pieceBytes) yield Buffer.copyBytesFrom(bytes, at, pieceBytes);
}
