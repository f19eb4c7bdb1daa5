/** What an image says of itself in its first bytes, read without decoding it. Lies are found out by whoever decodes it. */

export interface ImageHeader {
  readonly contentType: 'image/png' | 'image/jpeg' | 'image/gif' | 'image/webp' | 'image/avif';
  /** In pixels, as it is shown: turned as its EXIF orientation says. */
  readonly width: number;
  readonly height: number;
  /** Whether it may have more than one picture. */
  readonly mayBeAnimated: boolean;
}

/** Bytes of a file within which its header is looked for. */
export const imageHeaderBytesMax = 262_144;

/** `start`: the beginning of the file; any bytes may be given. Undefined for what is none of these images. */
export function readImageHeader(start: Buffer): ImageHeader | undefined {
  const found = png(start) ?? gif(start) ?? jpeg(start) ?? webp(start) ?? avif(start);
  return found !== undefined && found.width > 0 && found.height > 0 ? found : undefined;
}

const ascii = (bytes: Buffer, from: number, to: number): string => bytes.toString('latin1', from, to);

/** https://www.w3.org/TR/png-3/#11IHDR */
function png(bytes: Buffer): ImageHeader | undefined {
  if (bytes.length < 24 || ascii(bytes, 0, 8) !== '\x89PNG\r\n\x1a\n' || ascii(bytes, 12, 16) !== 'IHDR')
    return undefined;
  const size = { width: bytes.readUInt32BE(16), height: bytes.readUInt32BE(20) };
  return { contentType: 'image/png', ...size, mayBeAnimated: bytes.includes('acTL') };
}

function gif(bytes: Buffer): ImageHeader | undefined {
  if (bytes.length < 10 || !/^GIF8[79]a$/.test(ascii(bytes, 0, 6))) return undefined;
  const size = { width: bytes.readUInt16LE(6), height: bytes.readUInt16LE(8) };
  return { contentType: 'image/gif', ...size, mayBeAnimated: true };
}

/** https://www.w3.org/Graphics/JPEG/itu-t81.pdf (B.1.1): segments up to the one that starts the frame. */
function jpeg(bytes: Buffer): ImageHeader | undefined {
  if (bytes.length < 4 || bytes.readUInt16BE(0) !== 0xffd8) return undefined;
  let isTurned = false;
  for (let at = 2; at + 4 <= bytes.length;) {
    if (bytes[at] !== 0xff) return undefined;
    const marker = bytes[at + 1] ?? 0;
    if (marker === 0xff) {
      at += 1;
      continue;
    }
    const length = bytes.readUInt16BE(at + 2);
    if (isFrameStart(marker)) {
      if (at + 9 > bytes.length) return undefined;
      const height = bytes.readUInt16BE(at + 5);
      const width = bytes.readUInt16BE(at + 7);
      const size = isTurned ? { width: height, height: width } : { width, height };
      return { contentType: 'image/jpeg', ...size, mayBeAnimated: false };
    }
    if (marker === 0xe1) isTurned = exifOrientation(bytes.subarray(at + 4, at + 2 + length)) >= 5;
    if (marker === 0xda || marker === 0xd9 || length < 2) return undefined;
    at += 2 + length;
  }
  return undefined;
}

const isFrameStart = (marker: number): boolean =>
  marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;

/** 1 (upright) to 8; those from 5 on swap width and height. 1 where nothing can be read. */
function exifOrientation(segment: Buffer): number {
  if (ascii(segment, 0, 6) !== 'Exif\0\0' || segment.length < 16) return 1;
  const tiff = segment.subarray(6);
  const isLittle = ascii(tiff, 0, 2) === 'II';
  const uint16 = (at: number): number =>
    at + 2 > tiff.length ? 0 : isLittle ? tiff.readUInt16LE(at) : tiff.readUInt16BE(at);
  const directory = isLittle ? tiff.readUInt32LE(4) : tiff.readUInt32BE(4);
  const entries = Math.min(uint16(directory), 500);
  for (let index = 0; index < entries; index++) {
    const at = directory + 2 + index * 12;
    if (uint16(at) === 0x0112) return uint16(at + 8);
  }
  return 1;
}

/** https://www.rfc-editor.org/rfc/rfc9649 */
function webp(bytes: Buffer): ImageHeader | undefined {
  if (bytes.length < 30 || ascii(bytes, 0, 4) !== 'RIFF' || ascii(bytes, 8, 12) !== 'WEBP') return undefined;
  const still = { contentType: 'image/webp', mayBeAnimated: false } as const;
  switch (ascii(bytes, 12, 16)) {
    case 'VP8 ':
      return { ...still, width: bytes.readUInt16LE(26) & 0x3fff, height: bytes.readUInt16LE(28) & 0x3fff };
    case 'VP8L': {
      const bits = bytes.readUInt32LE(21);
      return { ...still, width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 };
    }
    case 'VP8X':
      return {
        ...still,
        width: bytes.readUIntLE(24, 3) + 1,
        height: bytes.readUIntLE(27, 3) + 1,
        mayBeAnimated: ((bytes[20] ?? 0) & 0x02) !== 0,
      };
    default:
      return undefined;
  }
}

/** The largest `ispe` (extent) among the first bytes. https://aomediacodec.github.io/av1-avif/ */
function avif(bytes: Buffer): ImageHeader | undefined {
  if (bytes.length < 16 || ascii(bytes, 4, 8) !== 'ftyp') return undefined;
  const brands = ascii(bytes, 8, Math.min(bytes.readUInt32BE(0), 128));
  if (!brands.includes('avif') && !brands.includes('avis')) return undefined;
  let largest = { width: 0, height: 0 };
  for (let at = bytes.indexOf('ispe'); at !== -1 && at + 16 <= bytes.length; at = bytes.indexOf('ispe', at + 4)) {
    const extent = { width: bytes.readUInt32BE(at + 8), height: bytes.readUInt32BE(at + 12) };
    if (extent.width * extent.height > largest.width * largest.height) largest = extent;
  }
  return { contentType: 'image/avif', ...largest, mayBeAnimated: brands.includes('avis') };
}
