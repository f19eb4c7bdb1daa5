/** Smaller images of contents, by the content they are made of: table thumbnail. */
import { defineRead, defineWrite } from '../query.ts';

export interface ThumbnailRow {
  readonly width: number;
  readonly height: number;
  /** crop or scale. */
  readonly method: string;
  readonly animated: number;
  readonly content_type: string;
  readonly sha256: Buffer;
  readonly bytes: number;
  /** The beginning of the day of its last use, milliseconds since the Unix epoch; 0: not known. */
  readonly used_ts: number;
}

const columns = ['width', 'height', 'method', 'animated', 'content_type', 'sha256', 'bytes', 'used_ts'] as const;

export const thumbnailsOf = defineRead<{ source: Buffer }, ThumbnailRow>('thumbnail.ofSource', (q, p) =>
  q.selectFrom('thumbnail').select(columns).where('source', '=', p.source),
);

export const insertThumbnail = defineWrite<{
  source: Buffer;
  width: number;
  height: number;
  method: string;
  animated: number;
  contentType: string;
  sha256: Buffer;
  bytes: number;
  usedTs: number;
}>('thumbnail.insert', (q, p) =>
  q
    .insertInto('thumbnail')
    .values({
      source: p.source,
      width: p.width,
      height: p.height,
      method: p.method,
      animated: p.animated,
      content_type: p.contentType,
      sha256: p.sha256,
      bytes: p.bytes,
      used_ts: p.usedTs,
    })
    .onConflict((conflict) => conflict.columns(['source', 'width', 'height', 'method', 'animated']).doNothing()),
);

/** The contents of the deleted ones come back, for whoever removes those that nothing refers to. */
export const deleteThumbnailsOf = defineWrite<{ source: Buffer }, { sha256: Buffer }>(
  'thumbnail.deleteOfSource',
  (q, p) => q.deleteFrom('thumbnail').where('source', '=', p.source).returning('sha256'),
);
