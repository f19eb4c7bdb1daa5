/**
 * Replies in an encoding that the client takes. Short ones are not worth it; longer ones are compressed by the threads of
 * libuv's pool, so that nobody else waits. What was considered, and the levels: docs/decisions/0015-compressed-replies.md
 */
import { promisify } from 'node:util';
import { brotliCompress, brotliCompressSync, type BrotliOptions, constants, gzip, gzipSync } from 'node:zlib';
import { Semaphore, SemaphoreFull } from '../platform/semaphore.ts';
import { acceptedEncodings, type ContentEncoding } from './accept-encoding.ts';
import type { RawReply, Reply } from './endpoint.ts';
import { ClientGone, type Exchange } from './exchange.ts';

/** Shorter bodies fit in one packet with their headers. */
export const compressedBytesMin = 1_024;
/** Up to here compressing takes less time than handing the work to another thread and back would delay others. */
const onThisThreadBytesMax = 32_768;
/** As many at a time as leave the pool free for files and passwords; beyond the queue, replies leave as they are. */
const atOnceMax = 2;
const waitingMax = 64;

export class ReplyCompressor {
  readonly #places = new Semaphore(atOnceMax, waitingMax);

  /**
   * The reply, compressed when the client takes that and it is long enough; as it is otherwise. Media and pages (RawReply)
   * and replies with secrets are never compressed. Rejects with ClientGone when the client has gone before its turn came.
   */
  compress(
    exchange: Exchange,
    endpoint: { readonly repliesWithSecrets?: boolean },
    reply: Reply | RawReply,
  ): Reply | RawReply | Promise<Reply> {
    if ('raw' in reply || endpoint.repliesWithSecrets === true) return reply;
    const { best, takesIdentity } = acceptedEncodings(exchange.header('accept-encoding'));
    if (best === undefined) return reply;
    const { json } = reply;
    const body = typeof json === 'string' || Buffer.isBuffer(json) ? json : JSON.stringify(json);
    const length = Buffer.byteLength(body);
    if (length < compressedBytesMin && takesIdentity) return { ...reply, json: body };
    if (length <= onThisThreadBytesMax) return encoded(reply, best, compressHere[best](body));
    return this.#compressElsewhere(exchange, { ...reply, json: body }, body, best);
  }

  async #compressElsewhere(
    exchange: Exchange,
    reply: Reply,
    body: string | Buffer,
    encoding: ContentEncoding,
  ): Promise<Reply> {
    try {
      return await this.#places.run(async () => {
        if (exchange.response.destroyed) throw new ClientGone();
        return encoded(reply, encoding, await compressInPool[encoding](body));
      });
    } catch (error) {
      if (error instanceof SemaphoreFull) return reply;
      throw error;
    }
  }
}

const encoded = (reply: Reply, encoding: ContentEncoding, json: Buffer): Reply => ({
  ...reply,
  headers: { ...reply.headers, 'Content-Encoding': encoding },
  json,
});

const brotli = (quality: number, body: string | Buffer): BrotliOptions => ({
  params: {
    [constants.BROTLI_PARAM_QUALITY]: quality,
    [constants.BROTLI_PARAM_MODE]: constants.BROTLI_MODE_TEXT,
    [constants.BROTLI_PARAM_SIZE_HINT]: body.length,
  },
});
const gzipAsync = promisify<string | Buffer, { level: number }, Buffer>(gzip);
const brotliAsync = promisify<string | Buffer, BrotliOptions, Buffer>(brotliCompress);

type Compressors<Result> = Readonly<Record<ContentEncoding, (body: string | Buffer) => Result>>;
const compressHere: Compressors<Buffer> = {
  br: (body) => brotliCompressSync(body, brotli(3, body)),
  gzip: (body) => gzipSync(body, { level: 4 }),
};
const compressInPool: Compressors<Promise<Buffer>> = {
  br: (body) => brotliAsync(body, brotli(4, body)),
  gzip: (body) => gzipAsync(body, { level: 6 }),
};
