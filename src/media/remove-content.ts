import type { MxcUri } from '../matrix/ids/mxc-uri.ts';
import { blobAt } from '../storage/stores/blob-store.ts';
import { deleteMedia, mediaAt } from '../storage/stores/media-store.ts';
import { deleteThumbnailsOf } from '../storage/stores/thumbnail-store.ts';
import type { MediaContext } from './context.ts';

/**
 * Deletes a file for good: its bytes too, and its thumbnails, when no other file has the same content. Nothing happens where there is
 * none.
 */
export async function removeContent(ctx: MediaContext, { serverName, mediaId }: MxcUri): Promise<void> {
  const row = await ctx.db.one(mediaAt, { origin: serverName, mediaId });
  if (row === undefined) return;
  await ctx.db.write((unit) => unit.run(deleteMedia, { origin: serverName, mediaId })).committed;
  if (row.sha256 === null) return;
  await ctx.blobs.release(row.sha256);
  if ((await ctx.db.one(blobAt, { sha256: row.sha256 })) === undefined) await removeThumbnailsOf(ctx, row.sha256);
}

/** Of a content that is not there any more. */
export async function removeThumbnailsOf(ctx: MediaContext, source: Buffer): Promise<void> {
  const { rows } = await ctx.db.write((unit) => unit.run(deleteThumbnailsOf, { source })).committed;
  for (const { sha256 } of rows[0] ?? []) if (Buffer.isBuffer(sha256)) await ctx.blobs.release(sha256);
}
