import type { MxcUri } from '../matrix/ids/mxc-uri.ts';
import { unsettleBlob } from '../storage/stores/blob-store.ts';
import { deleteMedia, deletePendingMedia, mediaAt } from '../storage/stores/media-store.ts';
import type { MediaContext } from './context.ts';

/** A file that has content. */
export interface StoredFile {
  readonly origin: string;
  readonly mediaId: string;
  readonly sha256: Buffer;
}

/**
 * Deletes a file for good: its bytes too, and its thumbnails, when no other file has the same content. false: there is none, and
 * nothing happens.
 */
export async function removeContent(
  ctx: Pick<MediaContext, 'db' | 'blobs'>,
  { serverName, mediaId }: MxcUri,
): Promise<boolean> {
  const at = { origin: serverName, mediaId };
  for (;;) {
    const row = await ctx.db.one(mediaAt, at);
    if (row === undefined) return false;
    if (row.sha256 !== null) {
      await removeContents(ctx, [{ ...at, sha256: row.sha256 }]);
      return true;
    }
    const { changes } = await ctx.db.write((unit) => unit.run(deletePendingMedia, at)).committed;
    // 0: it was uploaded, or deleted, just now.
    if (changes[0] === 1) return true;
  }
}

/**
 * Deletes files as `removeContent` does, all of them in one unit. It also says which contents nothing refers to any more, so that a
 * process that is killed before their bytes are gone removes them when it starts again.
 */
export async function removeContents(
  ctx: Pick<MediaContext, 'db' | 'blobs'>,
  files: readonly StoredFile[],
): Promise<void> {
  if (files.length === 0) return;
  await ctx.db.write((unit) => {
    for (const { origin, mediaId } of files) unit.run(deleteMedia, { origin, mediaId });
    for (const { sha256 } of files) unit.run(unsettleBlob, { sha256 });
  }).committed;
  for (const { sha256 } of files) await ctx.blobs.release(sha256);
}
