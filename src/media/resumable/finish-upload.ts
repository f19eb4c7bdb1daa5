/** The end of a resumable upload: under its URI, or nowhere. */
import { forbidden, MatrixError } from '../../matrix/errors.ts';
import type { ServerName } from '../../matrix/ids/ids.ts';
import type { MxcUri } from '../../matrix/ids/mxc-uri.ts';
import { assertNotSuspended } from '../../accounts/suspension.ts';
import { accountOfUser } from '../../storage/stores/account-store.ts';
import type { UnitBuilder } from '../../storage/database.ts';
import { setMediaExpiry } from '../../storage/stores/media-store.ts';
import {
  deleteUpload,
  setUploadCompleted,
  setUploadReceived,
  uploadAt,
  type UploadRow,
} from '../../storage/stores/upload-store.ts';
import type { BlobFacts, PartialBlob } from '../blob-store.ts';
import type { MediaContext } from '../context.ts';
import { believed, filling, fillingUnit } from '../upload-content.ts';

/**
 * Puts all that was received under the upload's URI. Whenever the process is killed on the way, either the unfinished content
 * or the finished one is there, and the upload leads to it. Throws 409 M_CANNOT_OVERWRITE_MEDIA, and then the upload is gone.
 */
export async function completeUpload(ctx: MediaContext, row: UploadRow, partial: PartialBlob): Promise<void> {
  await partial.persist();
  const id = row.upload_id;
  const announce = (unit: UnitBuilder, { sha256, sizeBytes }: BlobFacts): void =>
    unit.run(setUploadReceived, { id, sha256, bytes: sizeBytes });
  await droppingWhereTaken(ctx, row, async () => {
    ctx.onStored(await ctx.blobs.keep(partial, completingUnit(ctx, row), { announce, isRetried: true }));
  });
}

/** Completes an upload whose content is in the store already, because the process was killed after that. false: it is not. */
export async function completeStored(ctx: MediaContext, row: UploadRow): Promise<boolean> {
  const { sha256, bytes } = row;
  if (sha256 === null || bytes === null) return false;
  const facts = { sha256, sizeBytes: bytes };
  const isStored = await droppingWhereTaken(ctx, row, () => ctx.blobs.keepStored(facts, completingUnit(ctx, row)));
  if (!isStored) return false;
  ctx.onStored(facts);
  await ctx.blobs.store.discard(row.upload_id);
  return true;
}

/** Forgets an upload, with what was received of it and, where that is not filled, its URI. */
export async function dropUpload(
  ctx: MediaContext,
  { upload_id: id, origin, media_id: mediaId }: UploadRow,
): Promise<void> {
  const row = await ctx.db.one(uploadAt, { id });
  await ctx.db.write((unit) => {
    unit.run(deleteUpload, { id });
    unit.run(setMediaExpiry, { origin, mediaId, expiresTs: ctx.clock.nowMs() });
  }).committed;
  await ctx.blobs.store.discard(id);
  if (row !== undefined && row.sha256 !== null) await ctx.blobs.release(row.sha256);
}

/** Throws 403 when the one whose upload it is may not upload any more: it goes on without an access token. */
export async function assertOwnerMayUpload(ctx: MediaContext, { user_nid: user }: UploadRow): Promise<void> {
  const account = await ctx.db.one(accountOfUser, { user });
  if (account === undefined || account.deactivated_ts !== null || account.locked === 1)
    throw forbidden('The account that this upload belongs to is closed or locked');
  assertNotSuspended({ isSuspended: account.suspended === 1 });
}

function completingUnit(ctx: MediaContext, row: UploadRow): (unit: UnitBuilder, facts: BlobFacts) => void {
  const contentType = believed(row.content_type ?? undefined, row.head ?? Buffer.alloc(0));
  const fill = fillingUnit(ctx, uriOf(row), { contentType, fileName: row.file_name ?? undefined });
  return (unit, facts) => {
    fill(unit, facts);
    const ts = ctx.clock.nowMs();
    const expiresTs = ts + ctx.settings.resumableUploadHours * 3_600_000;
    unit.run(setUploadCompleted, { id: row.upload_id, bytes: facts.sizeBytes, ts, expiresTs });
  };
}

export const uriOf = (row: UploadRow): MxcUri => ({ serverName: row.origin as ServerName, mediaId: row.media_id });

async function droppingWhereTaken<T>(ctx: MediaContext, row: UploadRow, work: () => Promise<T>): Promise<T> {
  try {
    return await filling(work);
  } catch (error) {
    if (error instanceof MatrixError) await dropUpload(ctx, row);
    throw error;
  }
}
