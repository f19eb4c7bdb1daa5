import type { Readable } from 'node:stream';
import { MatrixError, notFound } from '../matrix/errors.ts';
import type { MxcUri } from '../matrix/ids/mxc-uri.ts';
import { limits } from '../platform/limits.ts';
import { mediaAt, type MediaRow, noteMediaAccess } from '../storage/stores/media-store.ts';
import type { BlobFacts, ByteRange } from './blob-store.ts';
import { isShownInline, unknownContentType } from './content-type.ts';
import type { MediaContext } from './context.ts';
import { contentDisposition, plainFileName } from './file-name.ts';
import type { RemoteWish } from './remote/remote-copies.ts';
import type { RemoteFetch } from './remote/remote-fetch.ts';
import type { Scannable } from './scanning/content-scans.ts';
import { hasExpired } from './upload-content.ts';

/** A file, ready to be sent. */
export interface OpenedContent {
  readonly sha256: Buffer;
  readonly sizeBytes: number;
  readonly contentType: string;
  readonly fileName: string | undefined;
  /** Value of the header. */
  readonly contentDisposition: string;
  /** All of it, or a part: not empty, and within the size. To be read to the end or destroyed. */
  open(range?: ByteRange): Promise<Readable>;
}

export interface OpenOptions {
  /** How long to wait for what was created and is not uploaded yet; longer than `limits.mediaWaitMsMax` counts as that. */
  readonly timeoutMs: number;
  /** Ends the waiting. */
  readonly signal: () => AbortSignal;
  /** Instead of the name that it was uploaded with. */
  readonly fileName?: string | undefined;
  /** false: of other servers' files only what is here already. */
  readonly allowRemote?: boolean | undefined;
  /** A larger file of another server is not fetched. Absent: what the configuration says. */
  readonly remoteBytesMax?: number | undefined;
}

/** A large file of another server that still comes. It can be read once, from its beginning. */
export interface ArrivingContent {
  readonly contentType: string;
  readonly contentDisposition: string;
  /** As the other server says; what turns out longer or shorter is cut. */
  readonly lengthBytes: number | undefined;
  /** No faster than it is read. Ends only where the file does; throws when it does not come to its end. */
  follow(): AsyncIterable<Buffer>;
}

/**
 * A file by its mxc URI. What is of another server is fetched, unless there is a copy. Throws 404 M_NOT_FOUND for what is not there,
 * malware or quarantined, what `RemoteCopies.find` throws, 504 M_NOT_YET_UPLOADED for what was created and has not come in time, 503 M_UNKNOWN for what could not be scanned.
 * https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1mediadownloadservernamemediaid
 */
export async function openContent(ctx: MediaContext, uri: MxcUri, options: OpenOptions): Promise<OpenedContent> {
  const row = await findUploaded(ctx, uri, options);
  await assertClean(ctx, { sha256: row.sha256, sizeBytes: row.bytes });
  return openUploaded(ctx, uri, row, options.fileName);
}

/** As `openContent`, but a large file of another server, if nothing has to be known of it first, already while it comes. */
export async function openOrFollow(
  ctx: MediaContext,
  uri: MxcUri,
  options: OpenOptions,
): Promise<OpenedContent | ArrivingContent> {
  if (options.allowRemote !== false && !ctx.localServers.isLocal(uri.serverName) && !(await isKnown(ctx, uri))) {
    const fetching = await ctx.remote.findOrFollow(uri, remoteWish(options));
    if (fetching !== undefined) return arriving(ctx, fetching, options.fileName);
  }
  return openContent(ctx, uri, options);
}

function arriving({ metrics }: MediaContext, fetching: RemoteFetch, givenName: string | undefined): ArrivingContent {
  const { contentType = unknownContentType, fileName } = fetching.describe();
  return {
    contentType,
    contentDisposition: dispositionOf(contentType, givenName, fileName),
    lengthBytes: fetching.lengthBytes,
    async *follow() {
      metrics.downloads.add({});
      for await (const piece of fetching.follow()) {
        metrics.downloadedBytes.add({}, piece.length);
        yield piece;
      }
    },
  };
}

function dispositionOf(contentType: string, givenName: string | undefined, ownName: string | undefined): string {
  const given = givenName === undefined ? undefined : plainFileName(givenName);
  return contentDisposition(isShownInline(contentType) ? 'inline' : 'attachment', given ?? ownName);
}

/** Throws 404 M_NOT_FOUND for malware, and what `ContentScans.findMalware` throws. */
async function assertClean(ctx: MediaContext, facts: BlobFacts): Promise<void> {
  if (ctx.scans === undefined) return;
  if ((await ctx.scans.findMalware(wholeContent(ctx, facts))) !== undefined) throw notFound(noSuchContent);
}

/** A content as it is stored, to be scanned. */
export const wholeContent = ({ blobs }: Pick<MediaContext, 'blobs'>, { sha256, sizeBytes }: BlobFacts): Scannable => ({
  subject: sha256,
  content: sha256,
  sizeBytes,
  open: () => blobs.store.open(sha256),
});

/** A file that was found and may be served. */
export function openUploaded(
  ctx: MediaContext,
  uri: MxcUri,
  row: UploadedRow,
  givenName: string | undefined,
): OpenedContent {
  const { sha256, bytes: sizeBytes } = row;
  noteAccess(ctx, uri, row);
  const contentType = row.content_type ?? unknownContentType;
  const ownName = row.file_name ?? undefined;
  return {
    sha256,
    sizeBytes,
    contentType,
    fileName: (givenName === undefined ? undefined : plainFileName(givenName)) ?? ownName,
    contentDisposition: dispositionOf(contentType, givenName, ownName),
    async open(range) {
      const stream = await ctx.blobs.store.open(sha256, range);
      ctx.metrics.downloads.add({});
      ctx.metrics.downloadedBytes.add({}, range === undefined ? sizeBytes : range.end - range.start);
      return stream;
    },
  };
}

export type UploadedRow = MediaRow & { readonly sha256: Buffer; readonly bytes: number };

/** What a URI stands for, once it is here. Throws as `openContent`. */
export async function findUploaded(ctx: MediaContext, uri: MxcUri, options: OpenOptions): Promise<UploadedRow> {
  const isLocal = ctx.localServers.isLocal(uri.serverName);
  const findNow = async (): Promise<UploadedRow | undefined> => {
    const row = await find(ctx, uri);
    if (row === undefined && isLocal) throw notFound(noSuchContent);
    return row !== undefined && isUploaded(row) ? row : undefined;
  };
  const early = await findNow();
  if (early !== undefined) return early;
  if (isLocal) {
    const found = await ctx.pending.wait(uri, waitOf(options), findNow);
    if (found === undefined) throw new MatrixError(504, 'M_NOT_YET_UPLOADED', 'The content has not been uploaded yet');
    return found;
  }
  if (options.allowRemote === false) throw notFound(noSuchContent);
  await ctx.remote.find(uri, remoteWish(options));
  const fetched = await findNow();
  if (fetched === undefined) throw notFound(noSuchContent);
  return fetched;
}

/** Whether anything is known of a URI: a content, or that there may be none. */
const isKnown = async (ctx: MediaContext, { serverName, mediaId }: MxcUri): Promise<boolean> =>
  (await ctx.db.one(mediaAt, { origin: serverName, mediaId })) !== undefined;

const remoteWish = (options: OpenOptions): RemoteWish => ({ ...waitOf(options), bytesMax: options.remoteBytesMax });

const waitOf = ({ timeoutMs, signal }: OpenOptions): { readonly timeoutMs: number; readonly signal: AbortSignal } => ({
  timeoutMs: Math.min(timeoutMs, limits.mediaWaitMsMax),
  signal: signal(),
});

/** undefined: nobody here knows it. Throws 404 M_NOT_FOUND for what may not be read. */
async function find(ctx: MediaContext, { serverName, mediaId }: MxcUri): Promise<MediaRow | undefined> {
  const row = await ctx.db.one(mediaAt, { origin: serverName, mediaId });
  if (row !== undefined && (hasExpired(row, ctx.clock.nowMs()) || row.quarantined_by !== null))
    throw notFound(noSuchContent);
  return row;
}

const isUploaded = (row: MediaRow): row is UploadedRow => row.sha256 !== null && row.bytes !== null;

/** By the day, so that reading writes seldom. */
function noteAccess(ctx: MediaContext, { serverName, mediaId }: MxcUri, row: MediaRow): void {
  const nowMs = ctx.clock.nowMs();
  const day = nowMs - (nowMs % dayMs);
  if ((row.last_access_ts ?? 0) >= day) return;
  const noted = ctx.db.write((unit) => unit.run(noteMediaAccess, { origin: serverName, mediaId, day }));
  noted.committed.catch(ctx.onFailed);
}

const dayMs = 86_400_000;
const noSuchContent = 'There is no such content';
