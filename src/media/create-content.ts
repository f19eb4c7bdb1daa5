import { MatrixError } from '../matrix/errors.ts';
import type { UserId } from '../matrix/ids/ids.ts';
import type { MxcUri } from '../matrix/ids/mxc-uri.ts';
import { serverNameOf } from '../matrix/ids/user-id.ts';
import { deleteExpiredMedia, insertMedia, pendingMedia } from '../storage/stores/media-store.ts';
import type { MediaContext } from './context.ts';

/** Who uploads. */
export interface Uploader {
  readonly userId: UserId;
  readonly userNid: number;
}

export interface CreatedContent {
  readonly uri: MxcUri;
  /** Milliseconds since the Unix epoch: until when the upload must have begun. */
  readonly unusedExpiresTs: number;
}

/**
 * Makes an mxc URI whose content comes later. Throws 429 M_LIMIT_EXCEEDED when too many of the user's wait already.
 * https://spec.matrix.org/v1.19/client-server-api/#post_matrixmediav1create
 */
export async function createContent(ctx: MediaContext, user: Uploader): Promise<CreatedContent> {
  const nowMs = ctx.clock.nowMs();
  const pending = await ctx.db.one(pendingMedia, { user: user.userNid, now: nowMs });
  if ((pending?.count ?? 0) >= ctx.settings.pendingUploadsMax)
    throw new MatrixError(429, 'M_LIMIT_EXCEEDED', 'Too many uploads of yours have not begun yet', {
      retry_after_ms: Math.max(1, (pending?.first_ts ?? nowMs) - nowMs),
    });
  const uri = newMxcUri(ctx, user);
  const unusedExpiresTs = nowMs + ctx.settings.pendingUploadHours * hourMs;
  await ctx.db.write((unit) => {
    unit.run(deleteExpiredMedia, { before: nowMs - expiredKeptMs });
    unit.run(insertMedia, {
      origin: uri.serverName,
      mediaId: uri.mediaId,
      sha256: null,
      bytes: null,
      contentType: null,
      fileName: null,
      user: user.userNid,
      createdTs: nowMs,
      expiresTs: unusedExpiresTs,
    });
  }).committed;
  return { uri, unusedExpiresTs };
}

/** On the server of the user's name; nobody can guess it. */
export function newMxcUri(ctx: Pick<MediaContext, 'random'>, { userId }: Pick<Uploader, 'userId'>): MxcUri {
  return { serverName: serverNameOf(userId), mediaId: ctx.random.bytes(18).toString('base64url') };
}

const hourMs = 3_600_000;
/** An upload that began in time may take longer than its URI would have lived without it. */
const expiredKeptMs = 7 * 86_400_000;
