/**
 * Makes thumbnails, in a process of its own: what decodes strangers' images is large, native and not to be trusted with the server's
 * memory. An image comes in pieces and is kept until a thumbnail of it was made.
 */
import type { Sharp } from 'sharp';
import type { ThumbnailSize } from './thumbnail-sizes.ts';

export interface ImageWorkerData {
  /** Of one picture, and of all pictures of an animated image together. */
  readonly pixelsMax: number;
  readonly animatedPixelsMax: number;
  readonly framesMax: number;
}
export type ImageRequest =
  | { readonly kind: 'take'; readonly chunk: Uint8Array }
  | { readonly kind: 'make'; readonly size: ThumbnailSize; readonly isAnimated: boolean };
/** undefined in answer to 'take'. */
export type ImageResponse = MadeThumbnail | undefined;
export interface MadeThumbnail {
  readonly bytes: Uint8Array;
  readonly contentType: 'image/jpeg' | 'image/png' | 'image/webp';
  readonly width: number;
  readonly height: number;
}
/** Of errors that say something about the image; it is not kept then. */
export type ImageErrorCode = 'IMAGE_TOO_LARGE' | 'IMAGE_UNREADABLE';

export async function start(data: ImageWorkerData): Promise<(request: ImageRequest) => Promise<ImageResponse>> {
  const { default: sharp } = await import('sharp');
  sharp.concurrency(1);
  sharp.cache(false);
  // Only what browsers show, and no vectors: a drawing may name files and other hosts.
  sharp.block({ operation: ['VipsForeignLoad'] });
  sharp.unblock({ operation: readers });
  let chunks: Uint8Array[] = [];
  return async (request) => {
    if (request.kind === 'take') {
      chunks.push(request.chunk);
      return undefined;
    }
    const source = Buffer.concat(chunks);
    chunks = [];
    try {
      return await make(sharp, source, request, data);
    } catch (error) {
      throw asImageError(error);
    }
  };
}

type SharpModule = (typeof import('sharp'))['default'];
type MakeRequest = Extract<ImageRequest, { readonly kind: 'make' }>;

async function make(
  sharp: SharpModule,
  source: Buffer,
  { size, isAnimated }: MakeRequest,
  data: ImageWorkerData,
): Promise<MadeThumbnail> {
  const options = { limitInputPixels: data.pixelsMax, failOn: 'none', sequentialRead: true } as const;
  const facts = await sharp(source, options).metadata();
  const pages = facts.pages ?? 1;
  const pagePixels = facts.width * (facts.pageHeight ?? facts.height);
  const moves = isAnimated && pages > 1 && pages <= data.framesMax && pages * pagePixels <= data.animatedPixelsMax;
  const image = sharp(source, { ...options, pages: moves ? pages : 1 });
  // Animated images carry no orientation.
  const upright = moves ? image : image.autoOrient();
  const resized = upright.resize({
    width: size.width,
    height: size.height,
    fit: size.method === 'crop' ? 'cover' : 'inside',
    position: 'centre',
    fastShrinkOnLoad: true,
  });
  // A drawing as small as an icon stays sharp, and is small all the same.
  const isIcon = facts.format === 'png' && size.width * size.height <= iconPixelsMax;
  const isPng = facts.hasAlpha || isIcon;
  const output = moves ? animatedForm(resized) : stillForm(resized, isPng);
  const { data: bytes, info } = await output.toBuffer({ resolveWithObject: true });
  const contentType = moves ? 'image/webp' : isPng ? 'image/png' : 'image/jpeg';
  return { bytes, contentType, width: info.width, height: info.pageHeight ?? info.height };
}

const iconPixelsMax = 96 * 96;
const animatedForm = (image: Sharp): Sharp => image.webp({ quality: 70, effort: 2 });
const stillForm = (image: Sharp, isPng: boolean): Sharp =>
  isPng ? image.png({ compressionLevel: 6 }) : image.jpeg({ quality: 80 });

function asImageError(error: unknown): Error {
  const message = error instanceof Error ? error.message : String(error);
  const code: ImageErrorCode = /exceeds pixel limit/i.test(message) ? 'IMAGE_TOO_LARGE' : 'IMAGE_UNREADABLE';
  return Object.assign(new Error(message, { cause: error }), { code });
}

const readers = [
  'VipsForeignLoadJpegBuffer',
  'VipsForeignLoadPngBuffer',
  'VipsForeignLoadWebpBuffer',
  'VipsForeignLoadNsgifBuffer',
  'VipsForeignLoadHeifBuffer',
];
