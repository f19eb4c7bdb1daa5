/** Requests for files, whose bodies are bytes. */
import type { LoopbackServer } from './loopback-server.ts';
import { TestClient } from './test-client.ts';

/** For a loopback server that serves files. */
export const mediaListeners = {
  listeners: '[{ bind: 127.0.0.1, port: 0, serve: [client, media, admin, metrics] }]',
} as const;

export interface BytesReply {
  readonly status: number;
  readonly headers: Headers;
  readonly bytes: Buffer;
  /** undefined: no JSON. */
  readonly errcode: string | undefined;
}

export interface BytesRequest {
  readonly token?: string | undefined;
  readonly body?: Buffer | ReadableStream<Uint8Array>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

export async function requestBytes(
  { url }: Pick<LoopbackServer, 'url'>,
  method: string,
  path: string,
  { token, body, headers, signal }: BytesRequest = {},
): Promise<BytesReply> {
  const response = await fetch(url + path, {
    method,
    headers: { ...(token === undefined ? {} : { authorization: `Bearer ${token}` }), ...headers },
    redirect: 'manual',
    ...(body === undefined ? {} : { body: Buffer.isBuffer(body) ? new Uint8Array(body) : body, duplex: 'half' }),
    ...(signal === undefined ? {} : { signal }),
  });
  const bytes = Buffer.from(await response.arrayBuffer());
  return { status: response.status, headers: response.headers, bytes, errcode: errcodeIn(bytes) };
}

function errcodeIn(bytes: Buffer): string | undefined {
  if (bytes[0] !== 0x7b || bytes.length > 10_000) return undefined;
  const { errcode } = JSON.parse(bytes.toString()) as { readonly errcode?: unknown };
  return typeof errcode === 'string' ? errcode : undefined;
}

/** One user of files. */
export class MediaClient {
  readonly token: string;
  readonly userId: string;
  readonly #server: Pick<LoopbackServer, 'url'>;

  private constructor(server: Pick<LoopbackServer, 'url'>, { token, userId }: TestClient) {
    this.#server = server;
    this.token = token ?? '';
    this.userId = userId;
  }

  static async register(server: Pick<LoopbackServer, 'url'>, username: string): Promise<MediaClient> {
    return new MediaClient(server, await TestClient.register(server, username));
  }

  request(method: string, path: string, request: BytesRequest = {}): Promise<BytesReply> {
    return requestBytes(this.#server, method, path, { token: this.token, ...request });
  }

  /** The mxc URI. Throws what the server answered when it is no success. */
  async upload(bytes: Buffer, contentType = 'application/octet-stream', fileName?: string): Promise<string> {
    const query = fileName === undefined ? '' : `?filename=${encodeURIComponent(fileName)}`;
    const headers = { 'content-type': contentType };
    return uriIn(await this.request('POST', `/_matrix/media/v3/upload${query}`, { body: bytes, headers }));
  }

  /** An mxc URI without content. */
  async create(): Promise<string> {
    return uriIn(await this.request('POST', '/_matrix/media/v1/create'));
  }

  download(uri: string, headers: Readonly<Record<string, string>> = {}, method = 'GET'): Promise<BytesReply> {
    return this.request(method, downloadPath(uri), { headers });
  }
}

export const downloadPath = (uri: string): string => `/_matrix/client/v1/media/download/${uri.slice('mxc://'.length)}`;

function uriIn({ status, bytes }: BytesReply): string {
  if (status !== 200) throw new Error(`the request was answered with ${status}: ${bytes.toString()}`);
  const { content_uri: uri } = JSON.parse(bytes.toString()) as { readonly content_uri?: unknown };
  return String(uri);
}
