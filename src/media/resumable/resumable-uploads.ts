import type { Requester } from '../../accounts/requester.ts';
import { forbidden, MatrixError, notFound } from '../../matrix/errors.ts';
import type { MxcUri } from '../../matrix/ids/mxc-uri.ts';
import { KeyedLock } from '../../platform/keyed-lock.ts';
import { limits } from '../../platform/limits.ts';
import type { TimerHandle } from '../../platform/ports.ts';
import { insertMedia, mediaAt, setMediaExpiry } from '../../storage/stores/media-store.ts';
import {
  expiredUploads,
  insertUpload,
  openUploads,
  receivedUploads,
  setUploadBytes,
  setUploadExpiry,
  setUploadHead,
  uploadAt,
  type UploadRow,
} from '../../storage/stores/upload-store.ts';
import type { PartialBlob } from '../blob-store.ts';
import type { MediaContext } from '../context.ts';
import { newMxcUri, type Uploader } from '../create-content.ts';
import { assertMayFill, describe, uploadTooLarge, type UploadFacts, withStoreErrors } from '../upload-content.ts';
import { nothingReserved, type QuotaReservation } from '../user-quotas.ts';
import { assertOwnerMayUpload, completeStored, completeUpload, dropUpload } from './finish-upload.ts';
import { EndingBody } from './ending-body.ts';
import { type PartBody, receivePart } from './receive-part.ts';
import { completedUpload, inconsistentLength, mismatchingOffset } from './upload-problems.ts';
import { progressOf, type UploadProgress } from './upload-progress.ts';
import { newUploadToken, uploadIdOf } from './upload-token.ts';
import { type Turn, UploadTurns } from './upload-turns.ts';

export interface NewUpload extends UploadFacts {
  /** To be filled, instead of a new one. */
  readonly uri: MxcUri | undefined;
}

/** The next bytes of an upload. */
export interface UploadPart {
  readonly offsetBytes: number;
  /** Of the whole upload, where the client says it now. */
  readonly lengthBytes: number | undefined;
  /** true: the upload is complete with these bytes. 'at-length': when it has the length that was said. */
  readonly isLast: boolean | 'at-length';
  readonly body: PartBody;
  /** Told how far the upload would survive now, while the bytes come. */
  readonly onProgress?: (offsetBytes: number) => void;
}

export interface GetOptions {
  /** What has its whole length and was not completed, because the server was killed at that moment, is now. */
  readonly completes: boolean;
}

/** An upload that nobody else has. Each throws 404 M_NOT_FOUND when it is not there, has expired or was cancelled. */
export interface HeldUpload {
  /** Where it is. */
  get(options: GetOptions): Promise<UploadProgress>;
  /**
   * Takes the next bytes, and all that came of them when the connection ends before. Throws 409 for another offset than the
   * upload's, 400 for a length that does not agree with what was said before and for a complete upload
   * (upload-problems.ts), 413 M_TOO_LARGE, 403 M_USER_LIMIT_EXCEEDED (and it can go on once there is room), 507 when the disk is full, and what the body throws.
   */
  append(part: UploadPart): Promise<UploadProgress>;
  /** Ends and forgets it, with its URI where that is not filled. */
  cancel(): Promise<void>;
}

/**
 * Uploads that may be continued on another connection, by whoever has the token. Who creates one must be logged in; the token
 * alone continues it, so that no session has to outlive it. `who` below is who an access token names, if one came with
 * the request: then another user's upload is 403 M_FORBIDDEN. docs/resumable-uploads.md
 */
export class ResumableUploads {
  readonly uploadBytesMax: number;
  readonly #ctx: MediaContext;
  readonly #turns = new UploadTurns();
  readonly #users = new KeyedLock<number>();
  #sweeping: TimerHandle | undefined;

  constructor(ctx: MediaContext) {
    this.#ctx = ctx;
    this.uploadBytesMax = ctx.settings.uploadBytesMax;
  }

  /** Completes what a killed process had received to its end, and from now on removes what expires. To be called once, first. */
  async start(): Promise<void> {
    for (const row of await this.#ctx.db.all(receivedUploads, {})) await completeStored(this.#ctx, row);
    this.#sweepLater();
  }

  /** Ends what is being received, and keeps what has come. */
  async close(): Promise<void> {
    this.#sweeping?.cancel();
    await this.#turns.endAll();
  }

  /**
   * Begins an upload. Throws as `uploadContent` (403 M_USER_LIMIT_EXCEEDED among it) and, with a URI, as `uploadContentToMxc`; 429 M_LIMIT_EXCEEDED when too many
   * of the user's are open.
   */
  async create(
    user: Uploader,
    given: NewUpload,
  ): Promise<{ readonly token: string; readonly progress: UploadProgress }> {
    const ctx = this.#ctx;
    const { contentType, fileName } = describe(given);
    const { lengthBytes } = given;
    if ((lengthBytes ?? 0) > this.uploadBytesMax) throw uploadTooLarge(this.uploadBytesMax);
    if (given.uri !== undefined) await assertMayFill(ctx, user, given.uri);
    return await this.#users.run(user.userNid, async () => {
      await this.#assertFewOpen(user);
      // From its row on, the upload is counted by itself.
      const quota = await ctx.quotas.reserve(user.userNid, lengthBytes ?? 0);
      try {
        return await this.#begin(user, { ...given, contentType, fileName });
      } finally {
        quota.release();
      }
    });
  }

  async #begin(
    user: Uploader,
    { contentType, fileName, lengthBytes, uri: given }: NewUpload,
  ): Promise<{ readonly token: string; readonly progress: UploadProgress }> {
    const ctx = this.#ctx;
    const token = newUploadToken(ctx.random);
    const id = uploadIdOf(token) ?? '';
    await withStoreErrors(async () => {
      await ctx.blobs.assertRoomFor(lengthBytes ?? 0);
      await (await ctx.blobs.store.begin(id)).release();
    });
    const uri = given ?? newMxcUri(ctx, user);
    const [createdTs, expiresTs] = [ctx.clock.nowMs(), this.#expiresTs];
    const at = { origin: uri.serverName, mediaId: uri.mediaId };
    const described = { contentType: contentType ?? null, fileName: fileName ?? null };
    await ctx.db.write((unit) => {
      const common = { ...at, ...described, user: user.userNid, createdTs, expiresTs };
      if (given === undefined) unit.run(insertMedia, { ...common, sha256: null, bytes: null });
      else unit.run(setMediaExpiry, { ...at, expiresTs });
      unit.run(insertUpload, { ...common, uploadId: id, bytes: lengthBytes ?? null });
    }).committed;
    const progress = { uri, offsetBytes: 0, lengthBytes, isComplete: false, expiresTs, contentType, fileName };
    return { token, progress };
  }

  /**
   * Lets `work` have an upload while nobody else does: ends a request that still seems to continue it, whose connection the
   * client knows to be dead. Rejects as `work` does.
   */
  async hold<T>(token: string, who: Requester | undefined, work: (held: HeldUpload) => Promise<T>): Promise<T> {
    const id = uploadIdOf(token);
    if (id === undefined) throw noSuchUpload();
    const find = async (): Promise<UploadRow> => {
      const row = await this.#ctx.db.one(uploadAt, { id });
      if (row === undefined || this.#hasExpired(row) || (await this.#isGone(row))) throw noSuchUpload();
      if (who !== undefined && who.userNid !== row.user_nid) throw forbidden('This is the upload of somebody else');
      return row;
    };
    // Who may not work on it does not disturb who does.
    if (this.#turns.has(id) && who !== undefined) await find();
    return await this.#turns.run(id, (turn) =>
      work({
        get: (options) => withStoreErrors(async () => this.#get(await find(), options)),
        append: (part) => withStoreErrors(async () => this.#append(await find(), part, turn)),
        cancel: () => withStoreErrors(async () => dropUpload(this.#ctx, await find())),
      }),
    );
  }

  /** `HeldUpload.get` by itself. */
  get(token: string, who: Requester | undefined, options: GetOptions): Promise<UploadProgress> {
    return this.hold(token, who, (held) => held.get(options));
  }

  /** `HeldUpload.append` by itself. */
  append(token: string, who: Requester | undefined, part: UploadPart): Promise<UploadProgress> {
    return this.hold(token, who, (held) => held.append(part));
  }

  /** `HeldUpload.cancel` by itself. */
  cancel(token: string, who: Requester | undefined): Promise<void> {
    return this.hold(token, who, (held) => held.cancel());
  }

  /** Whether an administrator has deleted or quarantined what it is, or would be. */
  async #isGone({ origin, media_id: mediaId }: UploadRow): Promise<boolean> {
    const file = await this.#ctx.db.one(mediaAt, { origin, mediaId });
    return file === undefined || file.quarantined_by !== null;
  }

  async #get(row: UploadRow, { completes }: GetOptions): Promise<UploadProgress> {
    if (row.completed_ts !== null) return progressOf(row, row.bytes ?? 0);
    return await this.#withPartial(row, async (partial) => {
      const { sizeBytes } = partial;
      if (!completes || sizeBytes !== row.bytes) return progressOf(row, sizeBytes);
      return await this.#complete(row, partial);
    });
  }

  async #append(row: UploadRow, part: UploadPart, turn: Turn): Promise<UploadProgress> {
    if (row.completed_ts !== null) throw completedUpload();
    await assertOwnerMayUpload(this.#ctx, row);
    return await this.#withPartial(row, async (partial) => {
      if (partial.sizeBytes !== part.offsetBytes) throw mismatchingOffset(partial.sizeBytes, part.offsetBytes);
      const known = await this.#learnLength(row, part);
      return await this.#withinQuota(known, partial, async (quota) => {
        const body = new EndingBody(part.body, this.#ctx.timers);
        turn.onOver(() => body.end());
        const received = await this.#receive(known, partial, { ...part, body }, quota);
        const { isLast } = part;
        if (isLast === true && known.bytes !== null && partial.sizeBytes !== known.bytes) throw inconsistentLength();
        if (isLast === true || (isLast === 'at-length' && partial.sizeBytes === known.bytes))
          return await this.#complete(received, partial);
        const offsetBytes = await partial.persist();
        return progressOf(await this.#prolong(received), offsetBytes);
      });
    });
  }

  /** One whose length is known has been counted with it; room for another is kept while something of it comes. */
  async #withinQuota<T>(
    row: UploadRow,
    { sizeBytes }: Pick<PartialBlob, 'sizeBytes'>,
    work: (quota: QuotaReservation) => Promise<T>,
  ): Promise<T> {
    if (row.bytes !== null) return await work(nothingReserved);
    const quota = await this.#ctx.quotas.reserve(row.user_nid, sizeBytes, 0);
    try {
      return await work(quota);
    } finally {
      quota.release();
    }
  }

  /** Removes what has expired. */
  async sweep(): Promise<void> {
    for (;;) {
      const rows = await this.#ctx.db.all(expiredUploads, { now: this.#ctx.clock.nowMs(), limit: sweptAtOnce });
      const idle = rows.filter(({ upload_id: id }) => !this.#turns.has(id));
      for (const { upload_id: id } of idle) await this.#turns.run(id, () => this.#dropExpired(id));
      if (idle.length < sweptAtOnce) return;
    }
  }

  async #dropExpired(id: string): Promise<void> {
    const row = await this.#ctx.db.one(uploadAt, { id });
    if (row !== undefined && this.#hasExpired(row)) await dropUpload(this.#ctx, row);
  }

  #sweepLater(): void {
    this.#sweeping = this.#ctx.timers.after(limits.uploadSweepMs, () => {
      void this.sweep()
        .catch(this.#ctx.onFailed)
        .finally(() => this.#sweepLater());
    });
  }

  get #expiresTs(): number {
    return this.#ctx.clock.nowMs() + this.#ctx.settings.resumableUploadHours * hourMs;
  }

  #hasExpired({ expires_ts: expiresTs }: UploadRow): boolean {
    return expiresTs <= this.#ctx.clock.nowMs();
  }

  /** Gives the unfinished content to `work`, and lets go of it whatever happens. */
  async #withPartial(row: UploadRow, work: (partial: PartialBlob) => Promise<UploadProgress>): Promise<UploadProgress> {
    if (row.sha256 !== null && (await completeStored(this.#ctx, row))) return await this.#current(row.upload_id);
    const partial = await this.#ctx.blobs.store.resume(row.upload_id);
    if (partial === undefined) {
      await dropUpload(this.#ctx, row);
      throw noSuchUpload();
    }
    try {
      return await work(partial);
    } finally {
      await partial.release();
    }
  }

  async #current(id: string): Promise<UploadProgress> {
    const row = await this.#ctx.db.one(uploadAt, { id });
    if (row === undefined) throw noSuchUpload();
    return progressOf(row, row.bytes ?? 0);
  }

  /** The upload with the length that the part says. */
  async #learnLength(row: UploadRow, { lengthBytes, offsetBytes }: UploadPart): Promise<UploadRow> {
    if (lengthBytes === undefined) return row;
    if (row.bytes === null) {
      if (lengthBytes < offsetBytes) throw inconsistentLength();
      if (lengthBytes > this.uploadBytesMax) throw uploadTooLarge(this.uploadBytesMax);
      await this.#withinQuota(row, { sizeBytes: lengthBytes }, async () => {
        const known = { id: row.upload_id, bytes: lengthBytes };
        await this.#ctx.db.write((unit) => unit.run(setUploadBytes, known)).committed;
      });
      return { ...row, bytes: lengthBytes };
    }
    if (row.bytes !== lengthBytes) throw inconsistentLength();
    return row;
  }

  /** The upload as it is afterwards. */
  async #receive(
    row: UploadRow,
    partial: PartialBlob,
    { body, onProgress }: UploadPart,
    quota: QuotaReservation,
  ): Promise<UploadRow> {
    const { blobs, clock, db } = this.#ctx;
    let now = await this.#prolong(row);
    let checkedBytes = partial.sizeBytes;
    await blobs.assertRoomFor(row.bytes === null ? 0 : row.bytes - partial.sizeBytes);
    const receiving = {
      partial,
      clock,
      head: row.head ?? Buffer.alloc(0),
      admit: (sizeBytes: number) => this.#admit(row, sizeBytes, quota),
      keepHead: async (head: Buffer) => {
        await db.write((unit) => unit.run(setUploadHead, { id: row.upload_id, head })).committed;
        now = { ...now, head };
      },
      onPersisted: async (offsetBytes: number) => {
        onProgress?.(offsetBytes);
        now = await this.#prolong(now);
        if (offsetBytes - checkedBytes < roomCheckedEveryBytes) return;
        checkedBytes = offsetBytes;
        await blobs.assertRoomFor(0);
      },
    };
    try {
      await receivePart(body, receiving);
    } catch (error) {
      if (error instanceof Overlong) await this.#dropOverlong(row, partial);
      throw error instanceof Overlong ? error.answer : error;
    }
    return now;
  }

  #admit({ bytes }: UploadRow, sizeBytes: number, quota: QuotaReservation): Promise<void> | undefined {
    if (bytes !== null && sizeBytes > bytes) throw new Overlong(inconsistentLength());
    if (sizeBytes > this.uploadBytesMax) throw new Overlong(uploadTooLarge(this.uploadBytesMax));
    return quota.cover(sizeBytes);
  }

  /** An upload that is longer than it said, or than any may be, is no upload any more. */
  async #dropOverlong(row: UploadRow, partial: PartialBlob): Promise<void> {
    await partial.discard();
    await dropUpload(this.#ctx, row);
  }

  async #complete(row: UploadRow, partial: PartialBlob): Promise<UploadProgress> {
    await completeUpload(this.#ctx, row, partial);
    return await this.#current(row.upload_id);
  }

  /** Not more often than every few minutes: it is a write. */
  async #prolong(row: UploadRow): Promise<UploadRow> {
    const expiresTs = this.#expiresTs;
    if (expiresTs - row.expires_ts < prolongedEveryMs) return row;
    const at = { origin: row.origin, mediaId: row.media_id };
    await this.#ctx.db.write((unit) => {
      unit.run(setUploadExpiry, { id: row.upload_id, expiresTs });
      unit.run(setMediaExpiry, { ...at, expiresTs });
    }).committed;
    return { ...row, expires_ts: expiresTs };
  }

  async #assertFewOpen({ userNid }: Uploader): Promise<void> {
    const open = await this.#ctx.db.one(openUploads, { user: userNid });
    if ((open?.count ?? 0) < this.#ctx.settings.resumableUploadsMax) return;
    const nowMs = this.#ctx.clock.nowMs();
    throw new MatrixError(429, 'M_LIMIT_EXCEEDED', 'Too many uploads of yours are open: end some, or cancel them', {
      retry_after_ms: Math.max(1, (open?.first_ts ?? nowMs) - nowMs),
    });
  }
}

/** More came than the upload may have. */
class Overlong extends Error {
  readonly answer: MatrixError;

  constructor(answer: MatrixError) {
    super(answer.message);
    this.answer = answer;
  }
}

const noSuchUpload = (): MatrixError =>
  notFound('There is no such upload: it was never begun, was cancelled, or has expired');

const hourMs = 3_600_000;
const prolongedEveryMs = 300_000;
const roomCheckedEveryBytes = 67_108_864;
const sweptAtOnce = 100;
