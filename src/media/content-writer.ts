import type { WorkerChannel, Workers } from '../platform/ports.ts';
import { isWhole } from '../platform/transfer-memory.ts';
import type { ContentWriterRequest, ContentWriterResponse, WriteRequest } from './content-writer-worker.ts';
import type { HashRequest, HashResponse } from './hash-file-worker.ts';

/** The threads that write and hash large files. Each is started when it is needed first. */
export class ContentWriter {
  readonly #workers: Workers;
  #writer: WorkerChannel<ContentWriterRequest, ContentWriterResponse> | undefined;
  #hasher: WorkerChannel<HashRequest, HashResponse> | undefined;

  constructor(workers: Workers) {
    this.#workers = workers;
  }

  /** Writes all of the pieces, which are gone then. Writes to one file are made in the order of their positions. */
  async write(request: Omit<WriteRequest, 'kind'>): Promise<void> {
    this.#writer ??= this.#workers.start(new URL('./content-writer-worker.ts', import.meta.url), undefined);
    // The cost of handing memory over grows with the square of the number of pieces.
    const given = request.pieces.length > piecesMax ? [Buffer.concat(request.pieces)] : request.pieces;
    const pieces = given.map((piece) => (isWhole(piece) ? piece : new Uint8Array(piece)));
    const memory = pieces.flatMap(({ buffer }) => (buffer instanceof ArrayBuffer ? [buffer] : []));
    await this.#writer.call({ ...request, kind: 'write', pieces }, memory);
  }

  /** The hash of a file of that size whose end was written with `write`; all of it is read again where it must be. */
  async hashOf(id: string, path: string, sizeBytes: number): Promise<Buffer> {
    const known = await this.#writer?.call({ kind: 'digest', id, sizeBytes });
    if (known?.sha256 !== undefined) return Buffer.from(known.sha256);
    this.#hasher ??= this.#workers.start(new URL('./hash-file-worker.ts', import.meta.url), undefined);
    const { sha256 } = await this.#hasher.call({ path });
    return Buffer.from(sha256);
  }

  async close(): Promise<void> {
    await Promise.all([this.#writer?.close(), this.#hasher?.close()]);
  }
}

const piecesMax = 64;
