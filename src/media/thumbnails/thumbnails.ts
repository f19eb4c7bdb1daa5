import type { Readable } from 'node:stream';
import { MatrixError, notFound, tooLarge } from '../../matrix/errors.ts';
import type { MxcUri } from '../../matrix/ids/mxc-uri.ts';
import type { Config } from '../../platform/config/config.ts';
import { limits } from '../../platform/limits.ts';
import { Lru } from '../../platform/lru.ts';
import { SemaphoreFull } from '../../platform/semaphore.ts';
import { blobAt } from '../../storage/stores/blob-store.ts';
import { noteThumbnailUse } from '../../storage/stores/media-retention-store.ts';
import { insertThumbnail, type ThumbnailRow, thumbnailsOf } from '../../storage/stores/thumbnail-store.ts';
import { asChunks } from '../add-own-content.ts';
import type { MediaContext } from '../context.ts';
import { contentDisposition } from '../file-name.ts';
import { type ImageHeader, imageHeaderBytesMax, readImageHeader } from '../image-header.ts';
import { openContent, type OpenedContent, type OpenOptions } from '../open-content.ts';
import { ImageRefused, type ImageWorkers } from './image-workers.ts';
import { fitted, type ThumbnailSize, thumbnailSize } from './thumbnail-sizes.ts';

export interface ThumbnailWish extends ThumbnailSize {
  /** Whether it may move, if the image does. */
  readonly isAnimated: boolean;
}
type Source = Pick<OpenedContent, 'sha256' | 'sizeBytes'>;

/** Smaller images of images, made when they are first asked for and kept like files, each once. */
export class Thumbnails {
  readonly #ctx: MediaContext;
  readonly #workers: ImageWorkers;
  readonly #settings: Config['media']['thumbnails'];
  /** By content; null: it is no image. */
  readonly #headers = new Lru<string, ImageHeader | null>({ sizeMax: limits.imageHeadersMax });
  readonly #failures = new Lru<string, { readonly error: MatrixError; readonly untilMs: number }>({
    sizeMax: limits.thumbnailFailuresMax,
  });
  readonly #making = new Map<string, Promise<ThumbnailRow>>();
  #isClosed = false;

  constructor(ctx: MediaContext, workers: ImageWorkers, settings: Config['media']['thumbnails']) {
    this.#ctx = ctx;
    this.#workers = workers;
    this.#settings = settings;
  }

  /**
   * A thumbnail, or the image itself where that is as small. Also of other servers' files it is made here. Throws as `openContent` does, and 400 M_UNKNOWN for what is no image that can
   * be read, 413 M_TOO_LARGE for one that is too large, M_LIMIT_EXCEEDED when too many are being made.
   * https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1mediathumbnailservernamemediaid
   */
  async open(uri: MxcUri, wish: ThumbnailWish, options: OpenOptions): Promise<OpenedContent> {
    const remoteBytesMax = limits.thumbnailSourceBytesMax;
    const source = await openContent(this.#ctx, uri, { remoteBytesMax, ...options });
    const header = await this.#usableHeader(source);
    const size = thumbnailSize(wish, header, this.#settings);
    const isAnimated = wish.isAnimated && header.mayBeAnimated;
    if (size === undefined && isThumbnailItself(source, header, isAnimated))
      return asThumbnail({ ...source, contentType: header.contentType });
    const whole = { width: header.width, height: header.height, method: 'scale' } as const;
    const row = await this.#find(source, size ?? whole, isAnimated);
    this.#noteUse(source, row);
    return this.#opened(row);
  }

  /** Makes the configured sizes of a file that came just now, if that is wanted and it is an image of which some can be made. */
  async prepare(source: Source): Promise<void> {
    if (!this.#settings.atUpload) return;
    const header = await this.#header(source);
    if (header === undefined || this.#refusal(source, header) !== undefined) return;
    try {
      for (const wish of this.#settings.sizes) {
        const size = this.#settings.dynamic ? thumbnailSize(wish, header, this.#settings) : fitted(wish, header);
        if (size !== undefined && !this.#isClosed) await this.#find(source, size, false);
      }
    } catch (error) {
      // Whoever asks for one is told the same, or comes when there is less to do.
      if (!(error instanceof MatrixError)) throw error;
    }
  }

  /** Ends the processes; what is being made is given up. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#workers.close();
    await Promise.allSettled(this.#making.values());
  }

  async #usableHeader(source: Source): Promise<ImageHeader> {
    const header = await this.#header(source);
    if (header === undefined) throw unreadable();
    const refusal = this.#refusal(source, header);
    if (refusal !== undefined) throw refusal;
    return header;
  }

  #refusal({ sizeBytes }: Source, { width, height }: ImageHeader): MatrixError | undefined {
    const isLarge = sizeBytes > limits.thumbnailSourceBytesMax || width * height > this.#settings.pixelsMax;
    return isLarge ? imageTooLarge() : undefined;
  }

  async #header({ sha256, sizeBytes }: Source): Promise<ImageHeader | undefined> {
    const key = sha256.toString('latin1');
    const known = this.#headers.find(key);
    if (known !== undefined) return known ?? undefined;
    const end = Math.min(sizeBytes, imageHeaderBytesMax);
    const start =
      end === 0 ? Buffer.alloc(0) : await readAll(await this.#ctx.blobs.store.open(sha256, { start: 0, end }));
    const header = readImageHeader(start);
    this.#headers.set(key, header ?? null);
    return header;
  }

  async #find(source: Source, size: ThumbnailSize, isAnimated: boolean): Promise<ThumbnailRow> {
    const rows = await this.#ctx.db.all(thumbnailsOf, { source: source.sha256 });
    const found = rows.find((row) => isOf(row, size, isAnimated));
    if (found !== undefined) return found;
    const substitute = rows.length >= limits.thumbnailsPerImageMax ? nearest(rows, size, isAnimated) : undefined;
    return substitute ?? (await this.#makeOnce(source, size, isAnimated));
  }

  /** Whoever asks for the same meanwhile waits for the same; an image that cannot be read is not tried again soon. */
  async #makeOnce(source: Source, size: ThumbnailSize, isAnimated: boolean): Promise<ThumbnailRow> {
    const image = source.sha256.toString('latin1');
    const failure = this.#failures.find(image);
    if (failure !== undefined && failure.untilMs > this.#ctx.clock.nowMs()) throw failure.error;
    const key = `${image} ${size.method} ${size.width} ${size.height} ${isAnimated}`;
    const current = this.#making.get(key);
    if (current !== undefined) return current;
    const making = this.#make(source, size, isAnimated).finally(() => this.#making.delete(key));
    this.#making.set(key, making);
    return making;
  }

  async #make(source: Source, size: ThumbnailSize, isAnimated: boolean): Promise<ThumbnailRow> {
    const { blobs } = this.#ctx;
    try {
      const made = await this.#workers.make(() => blobs.store.open(source.sha256), size, isAnimated);
      const usedTs = this.#today();
      const bytes = Buffer.from(made.bytes.buffer, made.bytes.byteOffset, made.bytes.length);
      const row = {
        ...size,
        animated: isAnimated ? 1 : 0,
        content_type: made.contentType,
        bytes: bytes.length,
        used_ts: usedTs,
      };
      const partial = await blobs.receive(asChunks(bytes), bytes.length);
      const { sha256 } = await blobs.keep(partial, (unit, facts) =>
        unit.run(insertThumbnail, {
          ...size,
          source: source.sha256,
          animated: row.animated,
          contentType: row.content_type,
          sha256: facts.sha256,
          bytes: facts.sizeBytes,
          usedTs,
        }),
      );
      await this.#assertStillThere(source);
      return { ...row, sha256 };
    } catch (error) {
      throw this.#answerTo(error, source);
    }
  }

  /** Who deletes a content deletes the thumbnails that are there then; one that came later goes here. */
  async #assertStillThere({ sha256 }: Source): Promise<void> {
    if ((await this.#ctx.db.one(blobAt, { sha256 }))?.settled === 1) return;
    await this.#ctx.blobs.removeThumbnailsOf(sha256);
    throw notFound('There is no such content');
  }

  #answerTo(error: unknown, source: Source): unknown {
    if (error instanceof SemaphoreFull)
      return new MatrixError(429, 'M_LIMIT_EXCEEDED', 'Too many thumbnails are being made', { retry_after_ms: 5_000 });
    if (!(error instanceof ImageRefused) || this.#isClosed) return error;
    const answer = error.reason === 'too large' ? imageTooLarge() : unreadable();
    const untilMs = this.#ctx.clock.nowMs() + limits.thumbnailFailureMs;
    this.#failures.set(source.sha256.toString('latin1'), { error: answer, untilMs });
    return answer;
  }

  /** By the day, so that reading writes seldom. */
  #noteUse({ sha256: source }: Source, { width, height, method, animated, used_ts: usedTs }: ThumbnailRow): void {
    const { db, onFailed } = this.#ctx;
    const day = this.#today();
    if (usedTs >= day) return;
    const noted = db.write((unit) => unit.run(noteThumbnailUse, { source, width, height, method, animated, day }));
    noted.committed.catch(onFailed);
  }

  #today(): number {
    const nowMs = this.#ctx.clock.nowMs();
    return nowMs - (nowMs % dayMs);
  }

  #opened(row: ThumbnailRow): OpenedContent {
    const { blobs, metrics } = this.#ctx;
    return asThumbnail({
      sha256: row.sha256,
      sizeBytes: row.bytes,
      contentType: row.content_type,
      async open(range) {
        const stream = await blobs.store.open(row.sha256, range);
        metrics.downloads.add({});
        metrics.downloadedBytes.add({}, range === undefined ? row.bytes : range.end - range.start);
        return stream;
      },
    });
  }
}

const dayMs = 86_400_000;

/** https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1mediathumbnailservernamemediaid */
function asThumbnail(content: Pick<OpenedContent, 'sha256' | 'sizeBytes' | 'contentType' | 'open'>): OpenedContent {
  const { sha256, sizeBytes, contentType } = content;
  const fileName = `thumbnail.${extensions[contentType] ?? 'bin'}`;
  return {
    sha256,
    sizeBytes,
    contentType,
    fileName,
    contentDisposition: contentDisposition('inline', fileName),
    open: (range) => content.open(range),
  };
}

/** Only what clients expect of a thumbnail; and what may move is one only for those who want that. */
function isThumbnailItself(source: Source, { contentType, mayBeAnimated }: ImageHeader, isAnimated: boolean): boolean {
  const isSmall = source.sizeBytes <= limits.thumbnailOriginalBytesMax;
  return isSmall && contentType !== 'image/avif' && (isAnimated || !mayBeAnimated);
}

const isOf = (row: ThumbnailRow, size: ThumbnailSize, isAnimated: boolean): boolean =>
  row.method === size.method &&
  row.width === size.width &&
  row.height === size.height &&
  row.animated === (isAnimated ? 1 : 0);

/** The smallest that is not smaller than the wish; else the largest. */
function nearest(rows: readonly ThumbnailRow[], size: ThumbnailSize, isAnimated: boolean): ThumbnailRow | undefined {
  const usable = rows
    .filter(({ method, animated }) => method === size.method && (isAnimated || animated === 0))
    .toSorted((a, b) => a.width * a.height - b.width * b.height);
  return usable.find(({ width, height }) => width >= size.width && height >= size.height) ?? usable.at(-1);
}

async function readAll(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

const unreadable = (): MatrixError =>
  new MatrixError(400, 'M_UNKNOWN', 'Cannot generate thumbnails for the requested content');
const imageTooLarge = (): MatrixError => tooLarge('Content is too large to thumbnail');
const extensions: Readonly<Record<string, string>> = {
  'image/jpeg': 'jpg',
  'image/png': 'png',
  'image/gif': 'gif',
  'image/webp': 'webp',
};
