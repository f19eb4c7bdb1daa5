/** Files of other servers. https://spec.matrix.org/v1.19/server-server-api/#content-repository */
import type { ServerName } from '../../matrix/ids/ids.ts';
import { MatrixError, notFound } from '../../matrix/errors.ts';
import { limits } from '../../platform/limits.ts';
import { Lru } from '../../platform/lru.ts';
import { OutgoingHttpError } from '../../platform/outgoing-http-error.ts';
import type { Clock, StreamedResponse, StreamingHttp } from '../../platform/ports.ts';
import type { FederationStreams } from '../contract.ts';
import { FederationError } from '../federation-error.ts';
import { federationPath } from '../federation-path.ts';
import { followRedirects, isFramed, RedirectFailed } from './follow-redirects.ts';
import { boundaryIn, MalformedMultipart, MultipartReader, type PartHeaders } from './multipart-reader.ts';
import { steady } from './steady.ts';

/** A file of another server, as media asks for it. What is said of it is what that server says. */
export interface RemoteContent {
  readonly contentType: string | undefined;
  readonly contentDisposition: string | undefined;
  /** undefined: not known before the end. */
  readonly lengthBytes: number | undefined;
  /** To be read once, or closed. Ends only where the file does; throws MatrixError 502 for what is cut. */
  readonly chunks: AsyncIterable<Buffer>;
  close(): Promise<void>;
}
export interface RemoteMediaRequest {
  readonly serverName: ServerName;
  readonly mediaId: string;
  /** How long the other server may wait for what is not uploaded yet. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

export interface RemoteMediaParts {
  readonly client: FederationStreams;
  readonly http: StreamingHttp;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  readonly userAgent: string;
}

export class RemoteMedia {
  readonly #parts: RemoteMediaParts;
  /** By server, until when it is not asked again, and what is said of it meanwhile. */
  readonly #silent = new Lru<ServerName, { readonly untilMs: number; readonly error: FederationError }>({
    sizeMax: limits.remoteMediaFailuresMax,
  });

  constructor(parts: RemoteMediaParts) {
    this.#parts = parts;
  }

  /**
   * Begins to fetch a file. Throws MatrixError: 404 M_NOT_FOUND, 504 M_NOT_YET_UPLOADED and 502 M_TOO_LARGE as the other server
   * does, 403 M_FORBIDDEN where it is not asked, 502 M_UNKNOWN for everything else; the signal's reason.
   */
  async open(request: RemoteMediaRequest): Promise<RemoteContent> {
    const { serverName, signal } = request;
    const { clock, client } = this.#parts;
    const silent = this.#silent.find(serverName);
    if (silent !== undefined && silent.untilMs > clock.monotonicMs()) throw asTold(silent.error);
    try {
      return await this.#open(request);
    } catch (error) {
      signal.throwIfAborted();
      const failure = failureOf(serverName, error);
      if (failure.failure === 'unreachable')
        this.#silent.set(serverName, { untilMs: clock.monotonicMs() + limits.remoteMediaRetryMs, error: failure });
      if (failure.failure === 'unusable') client.countUnusable();
      throw asTold(failure);
    }
  }

  async #open(request: RemoteMediaRequest): Promise<RemoteContent> {
    const { serverName: destination, mediaId, timeoutMs: waitMs, signal } = request;
    const response = await this.#parts.client
      .stream({
        destination,
        path: federationPath`/_matrix/federation/v1/media/download/${mediaId}`,
        query: { timeout_ms: waitMs },
        isSigned: true,
        timeoutMs: waitMs + limits.remoteMediaHeadMs,
        signal,
      })
      .catch((error: unknown) => {
        if (isUnknownEndpoint(error)) return undefined;
        throw error;
      });
    return response === undefined ? this.#openUnsigned(request) : this.#openParts(request, response);
  }

  /** The way of before Matrix 1.11. https://spec.matrix.org/v1.19/client-server-api/#get_matrixmediav3downloadservernamemediaid */
  async #openUnsigned({ serverName, mediaId, timeoutMs: waitMs, signal }: RemoteMediaRequest): Promise<RemoteContent> {
    const response = await this.#parts.client.stream({
      destination: serverName,
      path: federationPath`/_matrix/media/v3/download/${serverName}/${mediaId}`,
      query: { allow_remote: false, allow_redirect: true, timeout_ms: waitMs },
      isSigned: false,
      timeoutMs: waitMs + limits.remoteMediaHeadMs,
      takesRedirects: true,
      signal,
    });
    if (response.status < 300) return this.#plain(serverName, response);
    response.body.destroy();
    return this.#openElsewhere(serverName, response.headers['location'], signal);
  }

  async #openParts({ serverName, signal }: RemoteMediaRequest, response: StreamedResponse): Promise<RemoteContent> {
    const { headers, body } = response;
    const boundary = boundaryIn(headers['content-type']);
    if (boundary === undefined || isEncoded(headers)) {
      body.destroy();
      throw unusable(serverName, 'it is no multipart/mixed');
    }
    const reader = new MultipartReader(this.#steady(serverName, body), boundary);
    try {
      await firstPart(reader);
      const part = await reader.nextPart(limits.multipartMetadataBytesMax);
      if (part === undefined) throw unusable(serverName, 'it has no part with the file');
      const location = part.get('location');
      if (location !== undefined) {
        await reader.close();
        return await this.#openElsewhere(serverName, location, signal);
      }
      if (isEncodedPart(part)) throw unusable(serverName, 'the file is encoded');
      return {
        contentType: part.get('content-type'),
        contentDisposition: part.get('content-disposition'),
        lengthBytes: lengthIn(part.get('content-length')),
        chunks: this.#told(serverName, fileIn(reader)),
        close: () => reader.close(),
      };
    } catch (error) {
      await reader.close();
      throw error;
    }
  }

  /** From where the other server says that the file is: anywhere, so nothing is told there of who asks. */
  async #openElsewhere(
    serverName: ServerName,
    location: string | undefined,
    signal: AbortSignal,
  ): Promise<RemoteContent> {
    const { http, userAgent } = this.#parts;
    const response = await followRedirects(http, location, {
      userAgent,
      signal,
      stepsMax: limits.remoteMediaRedirectsMax,
      timeoutMs: limits.remoteMediaHeadMs,
      idleTimeoutMs: limits.remoteMediaIdleMs,
    });
    return this.#plain(serverName, response);
  }

  #plain(serverName: ServerName, { headers, body }: StreamedResponse): RemoteContent {
    if (isEncoded(headers) || !isFramed(headers)) {
      body.destroy();
      throw unusable(serverName, 'the end of the file could not be told');
    }
    return {
      contentType: headers['content-type'],
      contentDisposition: headers['content-disposition'],
      lengthBytes: lengthIn(headers['content-length']),
      chunks: this.#told(serverName, this.#steady(serverName, body)),
      close: async () => void body.destroy(),
    };
  }

  #steady(serverName: ServerName, body: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
    return steady(body, {
      clock: this.#parts.clock,
      bytesMin: limits.remoteMediaProgressBytes,
      windowMs: limits.remoteMediaProgressMs,
      tooSlow: () => unusable(serverName, 'it comes too slowly'),
    });
  }

  /** What goes wrong on the way is told as what went wrong at the beginning. */
  async *#told(serverName: ServerName, chunks: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
    try {
      yield* chunks;
    } catch (error) {
      const failure = failureOf(serverName, error);
      if (failure.failure === 'unusable') this.#parts.client.countUnusable();
      throw asTold(failure);
    }
  }
}

/** The part that says something about the file, if there were anything to say. */
async function firstPart(reader: MultipartReader): Promise<void> {
  if ((await reader.nextPart(limits.multipartPreambleBytesMax)) === undefined)
    throw new MalformedMultipart('it has no parts');
}

/** To the end of the second part, behind which nothing may come. */
async function* fileIn(reader: MultipartReader): AsyncIterable<Buffer> {
  try {
    yield* reader.content();
    if ((await reader.nextPart(0)) !== undefined) throw new MalformedMultipart('it has more than two parts');
  } finally {
    await reader.close();
  }
}

/** https://spec.matrix.org/v1.19/server-server-api/#unsupported-endpoints */
const isUnknownEndpoint = (error: unknown): boolean =>
  error instanceof FederationError &&
  error.failure === 'answered' &&
  (error.errcode === 'M_UNRECOGNIZED' || (error.errcode === undefined && unknownStatuses.has(error.status ?? 0)));
/** With an error of Matrix they would say something about the file. */
const unknownStatuses: ReadonlySet<number> = new Set([400, 404, 405]);

const isEncoded = (headers: Readonly<Record<string, string>>): boolean =>
  !['', 'identity'].includes((headers['content-encoding'] ?? '').trim().toLowerCase());
const isEncodedPart = (part: PartHeaders): boolean =>
  !['', 'binary', '8bit', '7bit'].includes((part.get('content-transfer-encoding') ?? '').toLowerCase());
const lengthIn = (text: string | undefined): number | undefined =>
  text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;

const unusable = (server: ServerName, message: string): FederationError =>
  new FederationError(server, 'unusable', `an answer that is not what was asked for: ${message}`);

function failureOf(server: ServerName, error: unknown): FederationError {
  if (error instanceof FederationError) return error;
  if (error instanceof MalformedMultipart) return unusable(server, error.message);
  if (error instanceof RedirectFailed) return new FederationError(server, 'unusable', error.message, { cause: error });
  if (error instanceof OutgoingHttpError)
    return new FederationError(server, 'unusable', `its answer was cut: ${error.message}`, { cause: error });
  throw error;
}

/** A failure as the client is told it. */
function asTold({ failure, status, errcode, message, destination, cause }: FederationError): MatrixError {
  if (cause instanceof OutgoingHttpError && cause.failure === 'name') return notFound(`There is no ${destination}`);
  if (failure === 'refused') return new MatrixError(403, 'M_FORBIDDEN', message);
  if (errcode === 'M_NOT_YET_UPLOADED')
    return new MatrixError(504, 'M_NOT_YET_UPLOADED', 'The content has not been uploaded yet');
  if (errcode === 'M_TOO_LARGE') return new MatrixError(502, 'M_TOO_LARGE', message);
  if (status === 404 || status === 403 || status === 410) return notFound(`There is no such content at ${destination}`);
  return new MatrixError(502, 'M_UNKNOWN', `The content could not be fetched: ${message}`);
}
