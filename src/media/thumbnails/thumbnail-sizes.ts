/** Which sizes thumbnails have. https://spec.matrix.org/v1.19/client-server-api/#thumbnails Pure. */

export type ThumbnailMethod = 'crop' | 'scale';
export interface Size {
  readonly width: number;
  readonly height: number;
}
export interface ThumbnailSize extends Size {
  readonly method: ThumbnailMethod;
}
export interface SizeSettings {
  /** Whether others than `sizes` are made. */
  readonly dynamic: boolean;
  /** Those that the server is sure to make. */
  readonly sizes: readonly ThumbnailSize[];
}

/**
 * The size in pixels of the thumbnail that answers a wish: of the image's own proportions and fitting the wish (scale), or of the wish's
 * proportions (crop). Never larger than the image, and not smaller than the wish where the image is not. Wishes are rounded up to few
 * sizes, so that an image has a bounded number of thumbnails whatever is asked for. undefined: the image itself, which is no larger than
 * the wish.
 */
export function thumbnailSize(wish: ThumbnailSize, image: Size, settings: SizeSettings): ThumbnailSize | undefined {
  if (image.width <= wish.width && image.height <= wish.height) return undefined;
  if (!settings.dynamic) return fitted(coveringSize(wish, settings.sizes) ?? wish, image);
  return wish.method === 'crop' ? croppedSize(wish, image) : scaledSize(wish, image);
}

/** As `thumbnailSize`, for a wish that is taken as it is. */
export function fitted(wish: ThumbnailSize, image: Size): ThumbnailSize | undefined {
  const { method } = wish;
  if (image.width <= wish.width && image.height <= wish.height) return undefined;
  if (method === 'scale') return { method, ...scaledBy(image, scaleInto(wish, image)) };
  return { method, ...scaledBy(wish, scaleInto(image, wish)) };
}

function scaledSize(wish: ThumbnailSize, image: Size): ThumbnailSize | undefined {
  const longSide = Math.max(image.width, image.height);
  const wanted = stepFrom(longSide * scaleInto(wish, image));
  return wanted >= longSide ? undefined : { method: 'scale', ...scaledBy(image, wanted / longSide) };
}

function croppedSize(wish: ThumbnailSize, image: Size): ThumbnailSize {
  const proportion = nearest(wish.width / wish.height);
  const longSide = Math.max(
    ...(proportion >= 1 ? [wish.width, wish.height * proportion] : [wish.height, wish.width / proportion]),
  );
  const step = stepFrom(longSide);
  const cut = proportion >= 1 ? { width: step, height: step / proportion } : { width: step * proportion, height: step };
  return { method: 'crop', ...scaledBy(cut, scaleInto(image, cut)) };
}

/** The smallest of the sizes that is not smaller than the wish; else the largest. Those of the wish's method come first. */
function coveringSize(wish: ThumbnailSize, sizes: readonly ThumbnailSize[]): ThumbnailSize | undefined {
  const sameMethod = sizes.filter(({ method }) => method === wish.method);
  const candidates = (sameMethod.length > 0 ? sameMethod : sizes).toSorted((a, b) => areaOf(a) - areaOf(b));
  return candidates.find(({ width, height }) => width >= wish.width && height >= wish.height) ?? candidates.at(-1);
}

/** By how much `size` is to be scaled to fit into `frame`; never more than 1. */
const scaleInto = (frame: Size, size: Size): number =>
  Math.min(1, frame.width / size.width, frame.height / size.height);
const scaledBy = ({ width, height }: Size, factor: number): Size => ({
  width: Math.max(1, Math.round(width * factor)),
  height: Math.max(1, Math.round(height * factor)),
});
const stepFrom = (pixels: number): number => steps.find((step) => step >= Math.floor(pixels)) ?? largestStep;
const nearest = (proportion: number): number =>
  proportions.reduce((best, candidate) =>
    Math.abs(Math.log(candidate / proportion)) < Math.abs(Math.log(best / proportion)) ? candidate : best,
  );
const areaOf = ({ width, height }: Size): number => width * height;

const largestStep = 2_048;
const steps = [32, 48, 64, 96, 128, 160, 200, 256, 320, 400, 512, 640, 800, 1_024, 1_280, 1_600, largestStep];
const proportions = [1 / 4, 1 / 3, 1 / 2, 9 / 16, 2 / 3, 3 / 4, 4 / 5, 1, 5 / 4, 4 / 3, 3 / 2, 16 / 9, 2, 3, 4];
