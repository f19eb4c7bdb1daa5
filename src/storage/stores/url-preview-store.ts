/** What was told of pages that messages link to: table url_preview. */
import { defineRead, defineWrite } from '../query.ts';

export interface UrlPreviewRow {
  /** SHA-256 of the URL and the language. */
  readonly asked: Buffer;
  readonly fetched_ts: number;
  readonly expires_ts: number;
  readonly json: string;
  readonly image_media_id: string | null;
}

/** The newest one that was there at `ts`. */
export const urlPreviewAt = defineRead<{ asked: Buffer; ts: number }, Pick<UrlPreviewRow, 'expires_ts' | 'json'>>(
  'urlPreview.at',
  (q, p) =>
    q
      .selectFrom('url_preview')
      .select(['expires_ts', 'json'])
      .where('asked', '=', p.asked)
      .where('fetched_ts', '<=', p.ts)
      .orderBy('fetched_ts', 'desc')
      .limit(1),
);

export const addUrlPreview = defineWrite<{
  asked: Buffer;
  fetchedTs: number;
  expiresTs: number;
  json: string;
  imageMediaId: string | null;
}>('urlPreview.add', (q, p) =>
  q
    .insertInto('url_preview')
    .values({
      asked: p.asked,
      fetched_ts: p.fetchedTs,
      expires_ts: p.expiresTs,
      json: p.json,
      image_media_id: p.imageMediaId,
    })
    .onConflict((conflict) => conflict.columns(['asked', 'fetched_ts']).doNothing()),
);

/** A hundred of the oldest from before `ts`. */
export const oldUrlPreviews = defineRead<
  { ts: number },
  Pick<UrlPreviewRow, 'asked' | 'fetched_ts' | 'image_media_id'>
>('urlPreview.old', (q, p) =>
  q
    .selectFrom('url_preview')
    .select(['asked', 'fetched_ts', 'image_media_id'])
    .where('fetched_ts', '<', p.ts)
    .orderBy('fetched_ts')
    .limit(100),
);

export const deleteUrlPreview = defineWrite<{ asked: Buffer; fetchedTs: number }>('urlPreview.delete', (q, p) =>
  q.deleteFrom('url_preview').where('asked', '=', p.asked).where('fetched_ts', '=', p.fetchedTs),
);
