import { DataStore, Server, Upload } from '@tus/server';
import type { Readable } from 'node:stream';
import { MatrixError } from '../../../matrix/errors.ts';
import { formatMxcUri } from '../../../matrix/ids/mxc-uri.ts';
import type { HeldUpload, ResumableUploads, UploadPart } from '../../../media/resumable/resumable-uploads.ts';
import type { UploadProgress } from '../../../media/resumable/upload-progress.ts';
import type { RawReply } from '../../endpoint.ts';
import type { TusCall } from './answer-tus.ts';
import { contentUriHeader, errorReply, resumablePath, uriToFill } from './upload-exchange.ts';

/**
 * One request to @tus/server, which knows the protocol. Our uploads are its store. Who may, who comes first and what is kept is
 * decided there, so its own locks lock nothing; the router has authenticated, counted and limited already. The body goes
 * through it in a stream.
 */
export class TusExchange {
  readonly #call: TusCall;
  readonly #store: TusStore;
  readonly #server: Server;
  /** What our store threw: the protocol's own errors are plain objects. */
  #failure: Error | undefined;

  constructor(call: TusCall, uploads: ResumableUploads) {
    this.#call = call;
    this.#store = new TusStore(call, uploads);
    this.#server = new Server({
      path: tusPath,
      datastore: this.#store,
      locker: noLocks,
      maxSize: uploads.uploadBytesMax,
      relativeLocation: true,
      getFileIdFromRequest: () => call.token,
      onResponseError: (_request, error) => this.#note(error),
    });
  }

  async answer(): Promise<RawReply> {
    const { method, token, body } = this.#call;
    const chunks = body?.chunks()[Symbol.asyncIterator]();
    const isRead = chunks !== undefined && (method === 'PATCH' || method === 'POST');
    const request = new Request(`http://localhost${tusPath}${token === undefined ? '' : `/${token}`}`, {
      method,
      headers: this.#headers(),
      ...(isRead ? { body: ReadableStream.from(this.#noting(chunks)), duplex: 'half' } : {}),
    });
    try {
      const response = await this.#store.inOneTurn(() => this.#server.handleWeb(request));
      if (this.#failure === undefined) return await this.#replyOf(response);
    } catch (error) {
      if (!(error instanceof MatrixError)) throw error;
      this.#failure = error;
    } finally {
      // What nobody has read must not be waited for.
      void chunks?.return?.().catch(() => undefined);
    }
    if (!(this.#failure instanceof MatrixError)) throw this.#failure;
    return errorReply(this.#failure, { 'Tus-Resumable': '1.0.0' });
  }

  #headers(): Headers {
    const headers = new Headers();
    for (const name of readHeaders) {
      const value = this.#call.header(name);
      if (value !== undefined) headers.set(name, value);
    }
    return headers;
  }

  async #replyOf(response: Response): Promise<RawReply> {
    const given = [...response.headers].filter(([name]) => !/^(access-control-|content-length$)/.test(name));
    const headers: Record<string, string> = { 'cache-control': 'no-store', ...Object.fromEntries(given) };
    const { progress, token } = this.#store;
    if (progress === undefined || response.status >= 400)
      return { status: response.status, headers, raw: await response.text() };
    Object.assign(headers, contentUriHeader(progress.uri));
    if (!progress.isComplete && this.#call.method !== 'DELETE')
      headers['upload-expires'] = httpDate(progress.expiresTs);
    if (token === undefined || response.status !== 201) return { status: response.status, headers, raw: '' };
    headers['content-type'] = 'application/json';
    return { status: 201, headers, raw: JSON.stringify({ content_uri: formatMxcUri(progress.uri) }) };
  }

  /** The same bytes; why they ended is known here, while it is told as another error further on. */
  async *#noting(chunks: AsyncIterator<Buffer>): AsyncGenerator<Buffer, void> {
    try {
      for (;;) {
        const next = await chunks.next();
        if (next.done === true) return;
        yield next.value;
      }
    } catch (error) {
      if (error instanceof Error) this.#failure = error;
      throw error;
    }
  }

  #note(error: unknown): { status_code: number; body: string } | undefined {
    if (!(error instanceof Error) || 'status_code' in error) return undefined;
    this.#failure = error;
    return { status_code: 500, body: '' };
  }
}

export const tusPath = `${resumablePath}/tus`;

/** Our uploads as a store of @tus/server. */
class TusStore extends DataStore {
  override extensions = ['creation', 'creation-with-upload', 'creation-defer-length', 'termination'];
  /** What is known of the upload in the end. */
  progress: UploadProgress | undefined;
  /** Of a new upload. */
  token: string | undefined;
  readonly #call: TusCall;
  readonly #uploads: ResumableUploads;
  #lengthBytes: number | undefined;
  #held: HeldUpload | undefined;

  constructor(call: TusCall, uploads: ResumableUploads) {
    super();
    this.#call = call;
    this.#uploads = uploads;
  }

  /** What is asked of an upload and what is done with it then has to be one thing. Rejects as `work` does. */
  inOneTurn<T>(work: () => Promise<T>): Promise<T> {
    const { token, requester } = this.#call;
    if (token === undefined) return work();
    return this.#uploads.hold(token, requester, (held) => {
      this.#held = held;
      return work();
    });
  }

  override async create(upload: Upload): Promise<Upload> {
    const { requester } = this.#call;
    if (requester === undefined) throw new Error('an upload is created by somebody');
    const { metadata = {}, size } = upload;
    const created = await this.#uploads.create(requester, {
      contentType: metadata['filetype'] ?? metadata['contentType'] ?? undefined,
      fileName: metadata['filename'] ?? metadata['name'] ?? undefined,
      lengthBytes: size,
      uri: uriToFill(metadata['content_uri'] ?? undefined),
    });
    // Its path, and all that follows in this request, is by the token.
    upload.id = this.token = created.token;
    this.progress = size === 0 ? await this.#append(created.token, 0, noChunks()) : created.progress;
    return upload;
  }

  override async getUpload(token: string): Promise<Upload> {
    const progress = await this.#upload.get({ completes: true });
    this.progress = progress;
    const upload = new Upload({ id: token, offset: progress.offsetBytes });
    if (progress.lengthBytes !== undefined) upload.size = progress.lengthBytes;
    const metadata = metadataOf(progress);
    if (metadata !== undefined) upload.metadata = metadata;
    return upload;
  }

  override async declareUploadLength(_token: string, lengthBytes: number): Promise<void> {
    this.#lengthBytes = lengthBytes;
  }

  override async write(stream: Readable, token: string, offsetBytes: number): Promise<number> {
    // Nothing can follow but nothing.
    if (this.progress?.isComplete === true) return offsetBytes;
    this.progress = await this.#append(token, offsetBytes, stream);
    return this.progress.offsetBytes;
  }

  override async remove(): Promise<void> {
    await this.#upload.cancel();
  }

  get #upload(): HeldUpload {
    if (this.#held === undefined) throw new Error('the request names no upload');
    return this.#held;
  }

  #append(token: string, offsetBytes: number, chunks: AsyncIterable<Buffer>): Promise<UploadProgress> {
    const { body, requester } = this.#call;
    const part: UploadPart = {
      offsetBytes,
      lengthBytes: this.#lengthBytes,
      isLast: 'at-length',
      body: { chunks: () => chunks, cut: () => body?.cut() },
    };
    return this.#held?.append(part) ?? this.#uploads.append(token, requester, part);
  }
}

function metadataOf({ contentType, fileName }: UploadProgress): Record<string, string | null> | undefined {
  const metadata: Record<string, string> = {};
  if (fileName !== undefined) metadata['filename'] = fileName;
  if (contentType !== undefined) metadata['filetype'] = contentType;
  return Object.keys(metadata).length === 0 ? undefined : metadata;
}

async function* noChunks(): AsyncGenerator<Buffer, void> {}

const httpDate = (ts: number): string => new Date(ts).toUTCString();

const noLocks = { newLock: () => ({ lock: async () => undefined, unlock: async () => undefined }) };

const readHeaders = [
  'tus-resumable',
  'content-length',
  'content-type',
  'upload-concat',
  'upload-defer-length',
  'upload-length',
  'upload-metadata',
  'upload-offset',
] as const;
