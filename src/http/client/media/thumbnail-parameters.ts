/** What the operations that answer with thumbnails have in common. */
import type { ThumbnailWish } from '../../../media/thumbnails/thumbnails.ts';
import { type Decoded, oneOf, queryBoolean, queryInteger, withDefault } from '../../decode.ts';

const pixels = queryInteger({ min: 1, max: 100_000 });

export const thumbnailQuery = {
  width: pixels,
  height: pixels,
  method: withDefault(oneOf('crop', 'scale'), 'scale'),
  animated: withDefault(queryBoolean(), false),
};

export const thumbnailWish = (query: {
  readonly [K in keyof typeof thumbnailQuery]: Decoded<(typeof thumbnailQuery)[K]>;
}): ThumbnailWish => ({
  width: query.width,
  height: query.height,
  method: query.method,
  isAnimated: query.animated,
});
