/**
 * An S3-compatible object store on a free port of the loopback address, in front of `@20minutes/s3rver`. That calls itself a fake: it keeps
 * objects as files, and checks signatures. It cannot abort an upload in parts, so that is done here, on its files; and it takes a range
 * that ends with byte 0 for one without an end.
 */
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { S3Settings } from '../../src/media/s3-bucket.ts';
import { Secret } from '../../src/platform/secret.ts';

export interface S3Server {
  readonly settings: S3Settings;
  /** Of all requests until now: "PUT /media/key?query". */
  readonly requests: string[];
  /** Gives true for a request that it has answered or cut itself. */
  intercept: ((request: IncomingMessage, response: ServerResponse) => boolean) | undefined;
  /** The keys of all objects, in order. */
  keys(): string[];
  /** Uploads in parts that were neither completed nor aborted. */
  uploadsLeft(): string[];
  /** Loses an object. */
  lose(key: string): void;
  close(): Promise<void>;
}

/** What s3rver accepts. */
export const secretAccessKeyOfTests = 'S3RVER';

export async function startS3Server({ prefix = '' }: { readonly prefix?: string } = {}): Promise<S3Server> {
  const directory = mkdtempSync(join(tmpdir(), 'veche-s3-'));
  const s3rver = new S3rver({ directory, silent: true, vhostBuckets: false, configureBuckets: [{ name: bucket }] });
  await s3rver.configureBuckets();
  s3rver.store.getObject = withFirstByte(s3rver.store.getObject.bind(s3rver.store));
  const answer = s3rver.callback();
  const server = createServer((request, response) => {
    running.requests.push(`${request.method} ${request.url}`);
    if (running.intercept?.(request, response) === true) return;
    const uploadId = new URL(request.url ?? '', 'http://s3').searchParams.get('uploadId');
    if (request.method === 'DELETE' && uploadId !== null)
      abort(join(directory, bucket, uploadsName, uploadId), response);
    else answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const running: S3Server = {
    settings: {
      endpoint: `http://127.0.0.1:${port}`,
      region: 'us-east-1',
      bucket,
      prefix,
      pathStyle: true,
      accessKeyId: 'S3RVER',
      secretAccessKey: new Secret(secretAccessKeyOfTests),
    },
    requests: [],
    intercept: undefined,
    keys: () =>
      readdirSync(join(directory, bucket), { recursive: true, encoding: 'utf8' })
        .filter((name) => name.endsWith(objectSuffix))
        .map((name) => name.slice(0, -objectSuffix.length))
        .toSorted(),
    uploadsLeft: () => {
      const folder = join(directory, bucket, uploadsName);
      return existsSync(folder) ? readdirSync(folder) : [];
    },
    lose: (key) =>
      ['object', 'object.md5', 'metadata.json'].forEach((name) =>
        rmSync(join(directory, bucket, `${key}._S3rver_${name}`)),
      ),
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      rmSync(directory, { recursive: true });
    },
  };
  return running;
}

/** As S3 refuses. */
export function refuse(response: ServerResponse, status: number, code: string): true {
  response.writeHead(status, { 'content-type': 'application/xml', connection: 'close' });
  response.end(`<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>no</Message></Error>`);
  return true;
}

function abort(folder: string, response: ServerResponse): void {
  if (!existsSync(folder)) return void refuse(response, 404, 'NoSuchUpload');
  rmSync(folder, { recursive: true });
  response.writeHead(204).end();
}

function withFirstByte(get: GetObject): GetObject {
  return async (from, key, range) => {
    if (range.end !== 0) return get(from, key, range);
    const object = await get(from, key, { start: 0, end: 1 });
    if (object === null) return null;
    for await (const chunk of object.content) {
      const content = Readable.from([chunk.subarray(0, 1)], { objectMode: false });
      return Object.assign(object, { range: { start: 0, end: 0 }, content });
    }
    return object;
  };
}

const bucket = 'media';
const uploadsName = '._S3rver_uploads';
const objectSuffix = '._S3rver_object';

type Listener = (request: IncomingMessage, response: ServerResponse) => unknown;
type GetObject = (bucket: string, key: string, range: StoredRange) => Promise<StoredObject | null>;
/** Both are within it. */
interface StoredRange {
  readonly start?: number;
  readonly end?: number;
}
interface StoredObject {
  range?: StoredRange;
  content: AsyncIterable<Buffer>;
}
interface S3rverInstance {
  readonly store: { getObject: GetObject };
  configureBuckets(): Promise<unknown>;
  callback(): Listener;
}
/** It comes without types. */
const S3rver = createRequire(import.meta.url)('@20minutes/s3rver') as new (options: object) => S3rverInstance;
