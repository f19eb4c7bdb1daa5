/** What the lists of files and the deletions from them have in common. */
import type { Page } from '../../../media/administration.ts';
import { type MediaOrder, mediaOrderNames } from '../../../media/media-orders.ts';
import { oneOf, optional, queryInteger, withDefault } from '../../decode.ts';

export const pageQuery = {
  from: withDefault(queryInteger({ min: 0 }), 0),
  limit: withDefault(queryInteger({ min: 0 }), 100),
  dir: optional(oneOf('f', 'b')),
};
export const mediaListQuery = { ...pageQuery, order_by: optional(oneOf(...mediaOrderNames)) };

/** Where nothing is said of the order, the newest come first. */
export function mediaPageOf(query: {
  readonly from: number;
  readonly limit: number;
  readonly dir: 'f' | 'b' | undefined;
  readonly order_by: MediaOrder | undefined;
}): Page<MediaOrder> {
  const { from, limit, dir, order_by: order } = query;
  return { from, limit, order: order ?? 'created_ts', direction: dir ?? (order === undefined ? 'b' : 'f') };
}
