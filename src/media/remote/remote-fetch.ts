import { MatrixError, notFound } from '../../matrix/errors.ts';
import type { MxcUri } from '../../matrix/ids/mxc-uri.ts';
import { limits } from '../../platform/limits.ts';
import { insertMedia, mediaAt } from '../../storage/stores/media-store.ts';
import { quarantineWhereKnown } from '../../storage/stores/quarantine-store.ts';
import type { BlobFacts, PartialBlob } from '../blob-store.ts';
import { normalContentType } from '../content-type.ts';
import type { MediaContext } from '../context.ts';
import { fileNameIn } from '../file-name.ts';
import type { RemoteContent, RemoteContents } from '../ports.ts';
import { believed, type ContentDescription, headBytes, withStoreErrors } from '../upload-content.ts';

export type FetchContext = Pick<MediaContext, 'db' | 'blobs' | 'clock' | 'metrics'> & {
  readonly contents: RemoteContents;
};

export interface FetchOptions {
  /** How long the other server may wait for what is not uploaded yet. */
  readonly timeoutMs: number;
  /** Beyond that it is given up. */
  readonly bytesMax: number;
}

/** One file of another server on its way into the store, for all who wait for it. */
export class RemoteFetch {
  readonly uri: MxcUri;
  readonly timeoutMs: number;
  /** The size of the largest content in quarantine, once somebody has asked. */
  hiddenBytes: number | undefined;
  readonly #ctx: FetchContext;
  readonly #abort = new AbortController();
  readonly #watching = new Set<() => void>();
  #bytesMax: number;
  #receivedBytes = 0;
  #head: Buffer = Buffer.alloc(0);
  #content: RemoteContent | undefined;
  #partial: Pick<PartialBlob, 'read'> | undefined;
  #end: { readonly facts: BlobFacts } | { readonly error: unknown } | undefined;

  constructor(ctx: FetchContext, uri: MxcUri, { timeoutMs, bytesMax }: FetchOptions) {
    this.#ctx = ctx;
    this.uri = uri;
    this.timeoutMs = timeoutMs;
    this.#bytesMax = bytesMax;
  }

  /** Resolves when it is stored, or not: `outcome` says what came of it. */
  async run(): Promise<void> {
    if (this.isEnded) return;
    try {
      const facts = (await this.#findStored()) ?? (await this.#fetch());
      this.#end ??= { facts };
    } catch (error) {
      this.#end ??= { error };
    } finally {
      this.#wake();
    }
  }

  /** It ends otherwise than by itself. */
  fail(error: unknown): void {
    this.#end ??= { error };
    this.#abort.abort(error);
    this.#wake();
  }

  /** Somebody wants it although it has more bytes. */
  allow(bytesMax: number): void {
    this.#bytesMax = Math.max(this.#bytesMax, bytesMax);
  }

  get isEnded(): boolean {
    return this.#end !== undefined;
  }
  /** Whether the other server has begun to answer. */
  get isComing(): boolean {
    return this.#content !== undefined;
  }
  get receivedBytes(): number {
    return this.#receivedBytes;
  }
  get lengthBytes(): number | undefined {
    return this.#content?.lengthBytes;
  }

  /** Of one that has ended. Throws why it failed. */
  outcome(): BlobFacts {
    if (this.#end === undefined) throw new Error('the fetch goes on');
    if ('error' in this.#end) throw this.#end.error;
    return this.#end.facts;
  }

  /** Resolves when there is more of it, or it has ended, or the signal is aborted. */
  async progress(signal?: AbortSignal): Promise<void> {
    if (this.isEnded || signal?.aborted === true) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const wake = (): void => resolve();
    this.#watching.add(wake);
    signal?.addEventListener('abort', wake, { once: true });
    try {
      await promise;
    } finally {
      this.#watching.delete(wake);
      signal?.removeEventListener('abort', wake);
    }
  }

  /** What it is, as far as that can be told once some of it is here. */
  describe(): ContentDescription {
    const { contentType, contentDisposition } = this.#content ?? {};
    return {
      contentType: believed(contentType === undefined ? undefined : normalContentType(contentType), this.#head),
      fileName: contentDisposition === undefined ? undefined : fileNameIn(contentDisposition),
    };
  }

  /** All of it from its beginning, at the reader's pace. Ends only when the whole is stored; throws why it is not. */
  async *follow(): AsyncIterable<Buffer> {
    let at = 0;
    while (!this.isEnded) {
      const piece = await this.#partial?.read(at, limits.arrivingPieceBytes);
      if (piece === undefined) await this.progress();
      else {
        at += piece.length;
        yield piece;
      }
    }
    const { sha256, sizeBytes: end } = this.outcome();
    if (at < end) yield* (await this.#ctx.blobs.store.open(sha256, { start: at, end })) as AsyncIterable<Buffer>;
  }

  /** It may have come between the question and this. */
  async #findStored(): Promise<BlobFacts | undefined> {
    const { serverName: origin, mediaId } = this.uri;
    const row = await this.#ctx.db.one(mediaAt, { origin, mediaId });
    if (row === undefined) return undefined;
    if (row.sha256 === null || row.bytes === null) throw notFound('There is no such content');
    return { sha256: row.sha256, sizeBytes: row.bytes };
  }

  async #fetch(): Promise<BlobFacts> {
    const { blobs, contents } = this.#ctx;
    const { timeoutMs, uri } = this;
    const content = await contents.open({ ...uri, timeoutMs, signal: this.#abort.signal });
    this.#content = content;
    let partial: PartialBlob;
    try {
      const { lengthBytes } = content;
      this.#assertAllowed(lengthBytes ?? 0);
      partial = await withStoreErrors(async () => {
        // Nothing is reserved for what only the other server says.
        if (lengthBytes !== undefined) await blobs.assertRoomFor(lengthBytes);
        return await blobs.receive(this.#counted(content), undefined, (begun) => (this.#partial = begun));
      });
    } finally {
      await content.close();
    }
    return await this.#keep(partial);
  }

  async *#counted({ chunks, lengthBytes }: RemoteContent): AsyncIterable<Buffer> {
    for await (const chunk of chunks) {
      this.#abort.signal.throwIfAborted();
      this.#receivedBytes += chunk.length;
      this.#assertAllowed(this.#receivedBytes);
      if (this.#receivedBytes > (lengthBytes ?? Infinity)) throw otherLength();
      if (this.#head.length < headBytes)
        this.#head = Buffer.concat([this.#head, chunk.subarray(0, headBytes - this.#head.length)]);
      yield chunk;
      this.#wake();
    }
    if (lengthBytes !== undefined && this.#receivedBytes !== lengthBytes) throw otherLength();
  }

  async #keep(partial: PartialBlob): Promise<BlobFacts> {
    const { blobs, clock, metrics } = this.#ctx;
    const { serverName: origin, mediaId } = this.uri;
    const { contentType, fileName } = this.describe();
    const facts = await withStoreErrors(() =>
      blobs.keep(partial, (unit, { sha256, sizeBytes }) => {
        unit.run(insertMedia, {
          origin,
          mediaId,
          sha256,
          bytes: sizeBytes,
          contentType: contentType ?? null,
          fileName: fileName ?? null,
          user: null,
          createdTs: clock.nowMs(),
          expiresTs: null,
        });
        unit.run(quarantineWhereKnown, { origin, mediaId, sha256 });
      }),
    );
    metrics.remoteBytes.add({}, facts.sizeBytes);
    return facts;
  }

  #assertAllowed(bytes: number): void {
    if (bytes > this.#bytesMax) throw remoteTooLarge(this.#bytesMax);
  }

  #wake(): void {
    for (const wake of this.#watching) wake();
  }
}

/** https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1mediadownloadservernamemediaid */
export const remoteTooLarge = (bytesMax: number): MatrixError =>
  new MatrixError(502, 'M_TOO_LARGE', `The content of another server has more than ${bytesMax} bytes`);
const otherLength = (): MatrixError =>
  new MatrixError(502, 'M_UNKNOWN', 'The content of another server has another length than it says');
