import { forbidden, MatrixError, notFound, tooLarge } from '../matrix/errors.ts';
import type { MxcUri } from '../matrix/ids/mxc-uri.ts';
import { UnexpectedChanges, UnitFailed, type UnitBuilder } from '../storage/database.ts';
import { fillMedia, insertMedia, mediaAt, type MediaRow } from '../storage/stores/media-store.ts';
import { quarantineWhereKnown } from '../storage/stores/quarantine-store.ts';
import { type BlobFacts, BlobStoreFull, type PartialBlob } from './blob-store.ts';
import { looksLike } from './content-signature.ts';
import { normalContentType } from './content-type.ts';
import type { MediaContext } from './context.ts';
import { newMxcUri, type Uploader } from './create-content.ts';
import { plainFileName } from './file-name.ts';
import type { QuotaReservation } from './user-quotas.ts';

/** What an upload says of itself. */
export interface UploadFacts {
  /** As the client has it; what is no media type counts as absent. */
  readonly contentType: string | undefined;
  readonly fileName: string | undefined;
  /** Absent where it is not known before the end. */
  readonly lengthBytes: number | undefined;
}
/** The bytes, no faster than they are taken. */
export type UploadBody = AsyncIterable<Buffer>;

/**
 * Stores a file and names it. Throws 413 M_TOO_LARGE, 403 M_USER_LIMIT_EXCEEDED for more than the user may have, 507 M_UNKNOWN when the disk is full, and what the body throws; then
 * nothing of it is left. https://spec.matrix.org/v1.19/client-server-api/#post_matrixmediav3upload
 */
export async function uploadContent(
  ctx: MediaContext,
  user: Uploader,
  facts: UploadFacts,
  body: UploadBody,
): Promise<MxcUri> {
  const described = describe(facts);
  return await withinQuota(ctx, user, facts, async (quota) => {
    const { partial, head } = await receive(ctx, facts, body, quota);
    const uri = newMxcUri(ctx, user);
    await storeUpload(ctx, partial, uri, { ...described, contentType: believed(described.contentType, head), user });
    return uri;
  });
}

/**
 * Uploads to what `createContent` made. Throws as `uploadContent` does, and 404 M_NOT_FOUND for what was not created here or
 * has expired, 403 M_FORBIDDEN for what another user created, 409 M_CANNOT_OVERWRITE_MEDIA for what has content already.
 * https://spec.matrix.org/v1.19/client-server-api/#put_matrixmediav3uploadservernamemediaid
 */
export async function uploadContentToMxc(
  ctx: MediaContext,
  user: Uploader,
  uri: MxcUri,
  facts: UploadFacts,
  body: UploadBody,
): Promise<void> {
  await assertMayFill(ctx, user, uri);
  const described = describe(facts);
  await withinQuota(ctx, user, facts, async (quota) => {
    const { partial, head } = await receive(ctx, facts, body, quota);
    await fillContent(ctx, partial, uri, { ...described, contentType: believed(described.contentType, head) });
  });
}

/** Throws as `uploadContentToMxc` does for what a user may not upload to. */
export async function assertMayFill(ctx: MediaContext, user: Uploader, uri: MxcUri): Promise<void> {
  const row = await ctx.db.one(mediaAt, { origin: uri.serverName, mediaId: uri.mediaId });
  if (row === undefined || hasExpired(row, ctx.clock.nowMs()) || row.quarantined_by !== null)
    throw notFound('This content was not created, or it has expired');
  if (row.user_nid !== user.userNid) throw forbidden('Somebody else created this content');
  if (row.sha256 !== null) throw cannotOverwrite();
}

/** Created, and never uploaded in time. */
export const hasExpired = ({ sha256, expires_ts: expiresTs }: MediaRow, nowMs: number): boolean =>
  sha256 === null && expiresTs !== null && expiresTs <= nowMs;

/** What is kept of a file beside its bytes. */
export interface ContentDescription {
  readonly contentType: string | undefined;
  readonly fileName: string | undefined;
}

/** Keeps a received content under a new mxc URI. `user`: whose it is; absent: the server's own. The partial is used up. */
export async function storeUpload(
  ctx: MediaContext,
  partial: PartialBlob,
  uri: MxcUri,
  { contentType, fileName, user }: ContentDescription & { readonly user: Pick<Uploader, 'userNid'> | undefined },
): Promise<void> {
  const stored = await withStoreErrors(() =>
    ctx.blobs.keep(partial, (unit, { sha256, sizeBytes }) => {
      unit.run(insertMedia, {
        origin: uri.serverName,
        mediaId: uri.mediaId,
        sha256,
        bytes: sizeBytes,
        contentType: contentType ?? null,
        fileName: fileName ?? null,
        user: user?.userNid ?? null,
        createdTs: ctx.clock.nowMs(),
        expiresTs: null,
      });
      unit.run(quarantineWhereKnown, { origin: uri.serverName, mediaId: uri.mediaId, sha256 });
      countUpload(ctx, sizeBytes);
    }),
  );
  ctx.onStored(stored);
}

/** Keeps a received content under a URI that was created before. Throws 409 M_CANNOT_OVERWRITE_MEDIA. The partial is used up. */
export async function fillContent(
  ctx: MediaContext,
  partial: PartialBlob,
  uri: MxcUri,
  description: ContentDescription,
): Promise<void> {
  const fill = fillingUnit(ctx, uri, description);
  ctx.onStored(await withStoreErrors(() => filling(() => ctx.blobs.keep(partial, fill))));
}

/** The statements that put a content under a URI that was created before; the unit fails where there is one already. */
export function fillingUnit(
  ctx: MediaContext,
  { serverName, mediaId }: MxcUri,
  { contentType, fileName }: ContentDescription,
): (unit: UnitBuilder, facts: BlobFacts) => void {
  const at = { origin: serverName, mediaId };
  const described = { contentType: contentType ?? null, fileName: fileName ?? null };
  return (unit, { sha256, sizeBytes }) => {
    unit.run(fillMedia, { ...at, sha256, bytes: sizeBytes, ...described }, { changes: 1 });
    unit.run(quarantineWhereKnown, { ...at, sha256 });
    unit.wake({ kind: 'media-uploaded', ...at });
    countUpload(ctx, sizeBytes);
  };
}

/** Throws 409 M_CANNOT_OVERWRITE_MEDIA where `work` fails because there is content already. */
export async function filling<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof UnitFailed && error.cause instanceof UnexpectedChanges) throw cannotOverwrite();
    throw error;
  }
}

/** 507: RFC 4918, 11.5. The specification has no errcode for it. */
export async function withStoreErrors<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof BlobStoreFull) throw new MatrixError(507, 'M_UNKNOWN', 'This server has no room for the file');
    throw error;
  }
}

/** What a client says of its file, as it is kept. Throws M_INVALID_PARAM for a name that is too long. */
export const describe = ({ contentType, fileName }: UploadFacts): ContentDescription => ({
  contentType: contentType === undefined ? undefined : normalContentType(contentType),
  fileName: fileName === undefined ? undefined : plainFileName(fileName),
});

/** The given type, unless the first bytes show that it is plainly wrong. */
export const believed = (contentType: string | undefined, head: Buffer): string | undefined =>
  contentType !== undefined && looksLike(contentType, head) ? contentType : undefined;

/** How many of a content's first bytes tell what it is. */
export const headBytes = 16;

interface Received {
  readonly partial: PartialBlob;
  readonly head: Buffer;
}

/** Lets `work` receive a file while room is kept for it. */
async function withinQuota<T>(
  ctx: MediaContext,
  { userNid }: Uploader,
  { lengthBytes = 0 }: UploadFacts,
  work: (quota: QuotaReservation) => Promise<T>,
): Promise<T> {
  const { uploadBytesMax } = ctx.settings;
  if (lengthBytes > uploadBytesMax) throw uploadTooLarge(uploadBytesMax);
  const quota = await ctx.quotas.reserve(userNid, lengthBytes);
  try {
    return await work(quota);
  } finally {
    quota.release();
  }
}

async function receive(
  ctx: MediaContext,
  { lengthBytes }: UploadFacts,
  body: UploadBody,
  quota: QuotaReservation,
): Promise<Received> {
  const { uploadBytesMax } = ctx.settings;
  let head: Buffer = Buffer.alloc(0);
  let sizeBytes = 0;
  async function* counted(): AsyncIterable<Buffer> {
    for await (const chunk of body) {
      sizeBytes += chunk.length;
      if (sizeBytes > uploadBytesMax) throw uploadTooLarge(uploadBytesMax);
      const growing = quota.cover(sizeBytes);
      if (growing !== undefined) await growing;
      if (head.length < headBytes) head = Buffer.concat([head, chunk.subarray(0, headBytes - head.length)]);
      yield chunk;
    }
  }
  const partial = await withStoreErrors(() => ctx.blobs.receive(counted(), lengthBytes));
  return { partial, head };
}

export const uploadTooLarge = (bytesMax: number): MatrixError =>
  tooLarge(`Files of more than ${bytesMax} bytes cannot be uploaded here`);

const cannotOverwrite = (): MatrixError =>
  new MatrixError(409, 'M_CANNOT_OVERWRITE_MEDIA', 'This content was uploaded already');

function countUpload(ctx: MediaContext, sizeBytes: number): void {
  ctx.metrics.uploads.add({});
  ctx.metrics.uploadedBytes.add({}, sizeBytes);
}
