/**
 * A large file goes up in pieces while the server is killed twice, and somebody else fetches it in ranges at the same time.
 */
import { createHash } from 'node:crypto';
import { createReadStream, mkdtempSync, rmSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Upload } from 'tus-js-client';
import { MediaClient, downloadPath } from '../../support/media-requests.ts';
import { openRequest, resumable, send } from '../../support/resumable-uploads.ts';
import { ServerProcess } from '../../support/server-process.ts';
import { eventually } from './eventually.ts';
import { makeLargeFile, MemoryWatch } from './large-file.ts';

export interface FileJourney {
  readonly kills: number;
  /** How much more than idle the server ever took. */
  readonly memoryBytes: number;
  /** Whether what came back, in ranges and as a whole, is what went up. */
  readonly isSame: boolean;
  /** Bytes that went up, those that went twice among them. */
  readonly sentBytes: number;
}

type Uploader = (world: UploadWorld) => Promise<{ readonly uri: string; readonly sentBytes: number }>;
interface UploadWorld {
  readonly server: ServerProcess;
  readonly path: string;
  readonly sizeBytes: number;
  readonly token: string;
  /** Called with how much has gone up; kills the server when it is time. */
  onSent(bytes: number): void;
  /** Resolves when the server runs. */
  running(): Promise<void>;
}

export async function fileJourney(sizeBytes: number, uploader: Uploader): Promise<FileJourney> {
  const folder = mkdtempSync(join(tmpdir(), 'veche-file-'));
  const server = await ServerProcess.start();
  try {
    const path = join(folder, 'file');
    const sha256 = await makeLargeFile(path, sizeBytes);
    const [alice, bob] = [await MediaClient.register(server, 'alice'), await MediaClient.register(server, 'bob')];
    const killer = new Killer(server, [sizeBytes / 3, (sizeBytes * 2) / 3]);
    const { uri, sentBytes } = await uploader({
      server,
      path,
      sizeBytes,
      token: alice.token,
      onSent: (bytes) => killer.onSent(bytes),
      running: () => killer.running(),
    });
    await killer.running();
    const isSame = await fetchInRanges(server, bob.token, uri, { path, sizeBytes, sha256 });
    return { kills: killer.kills, memoryBytes: killer.memoryBytes, isSame, sentBytes };
  } finally {
    await server.close();
    rmSync(folder, { recursive: true });
  }
}

/** Kills a server when so much was sent, and starts it again. */
class Killer {
  kills = 0;
  readonly #server: ServerProcess;
  readonly #at: number[];
  #watch: MemoryWatch;
  #most = 0;
  #restarting: Promise<void> | undefined;

  constructor(server: ServerProcess, at: readonly number[]) {
    this.#server = server;
    this.#at = [...at];
    this.#watch = new MemoryWatch(server.pid);
  }

  get memoryBytes(): number {
    return Math.max(this.#most, this.#watch.peakBytes - this.#watch.idleBytes);
  }

  onSent(bytes: number): void {
    const [next] = this.#at;
    if (next === undefined || bytes < next || this.#restarting !== undefined) return;
    this.#at.shift();
    this.#most = this.memoryBytes;
    this.#restarting = this.#restart().finally(() => (this.#restarting = undefined));
  }

  async running(): Promise<void> {
    await this.#restarting;
  }

  async #restart(): Promise<void> {
    this.kills += 1;
    await this.#server.killAndRestart();
    this.#watch = new MemoryWatch(this.#server.pid);
  }
}

/** By the draft's requests: from where the server says, until all is there. */
export const byDraft: Uploader = async ({ server, path, sizeBytes, token, onSent, running }) => {
  const begun = await send(server.url, 'POST', `${resumable}/upload`, {
    token,
    headers: { 'upload-complete': '?0', 'upload-length': sizeBytes, 'content-length': 0 },
  });
  const { location = '', 'matrix-content-uri': uri = '' } = begun.headers;
  let sentBytes = 0;
  for (;;) {
    await running();
    const offset = await eventually('the offset', async () => {
      const where = await send(server.url, 'HEAD', location).catch(() => undefined);
      return where === undefined ? undefined : Number(where.headers['upload-offset']);
    });
    const { request, answer } = openRequest(server.url, 'PATCH', location, {
      headers: {
        'content-type': 'application/partial-upload',
        'upload-offset': offset,
        'upload-complete': '?1',
        'content-length': sizeBytes - offset,
      },
    });
    const file = createReadStream(path, { start: offset, highWaterMark: 1_048_576 });
    let passed = 0;
    file.on('data', (chunk) => {
      passed += chunk.length;
      onSent(offset + passed);
    });
    file.pipe(request);
    const done = await answer.catch(() => undefined);
    file.destroy();
    sentBytes += passed;
    if (done?.status === 200) return { uri, sentBytes };
    if (done !== undefined) throw new Error(`the upload was answered with ${done.status}: ${done.text}`);
  }
};

/** By tus-js-client as it is. */
export const byTusClient: Uploader = ({ server, path, sizeBytes, token, onSent }) =>
  new Promise((resolve, reject) => {
    let uri = '';
    let [sentBytes, lastBytes] = [0, 0];
    const upload = new Upload(createReadStream(path), {
      endpoint: `${server.url}${resumable}/tus`,
      uploadSize: sizeBytes,
      chunkSize: Infinity,
      retryDelays: Array.from({ length: 100 }, () => 1_000),
      headers: { authorization: `Bearer ${token}` },
      metadata: { filename: 'file', filetype: 'application/octet-stream' },
      onAfterResponse: (_request, response) => {
        uri = response.getHeader('matrix-content-uri') ?? uri;
      },
      onProgress: (bytes) => {
        if (bytes > lastBytes) sentBytes += bytes - lastBytes;
        lastBytes = bytes;
        onSent(bytes);
      },
      onError: reject,
      onSuccess: () => resolve({ uri, sentBytes }),
    });
    upload.start();
  });

interface Expected {
  readonly path: string;
  readonly sizeBytes: number;
  readonly sha256: Buffer;
}

/** Four ranges at once, each against the same part of the file; the entity tag is the hash of the whole. */
async function fetchInRanges(
  server: ServerProcess,
  token: string,
  uri: string,
  { path, sizeBytes, sha256 }: Expected,
): Promise<boolean> {
  const quarter = Math.ceil(sizeBytes / 4);
  const parts = await Promise.all(
    [0, 1, 2, 3].map(async (index) => {
      const [start, end] = [index * quarter, Math.min((index + 1) * quarter, sizeBytes)];
      const [got, expected] = await Promise.all([
        fetchRange(`${server.url}${downloadPath(uri)}`, token, start, end),
        hashOf(createReadStream(path, { start, end: end - 1, highWaterMark: 1_048_576 })),
      ]);
      return got.sha256.equals(expected) && got.etag === `"${sha256.toString('base64url')}"`;
    }),
  );
  return parts.every(Boolean);
}

function fetchRange(
  url: string,
  token: string,
  start: number,
  end: number,
): Promise<{ readonly sha256: Buffer; readonly etag: string | undefined }> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${token}`, range: `bytes=${start}-${end - 1}` };
    const request = httpRequest(url, { headers, agent: false }, (response) => {
      if (response.statusCode !== 206) reject(new Error(`a range was answered with ${response.statusCode}`));
      hashOf(response).then((sha256) => resolve({ sha256, etag: response.headers.etag }), reject);
    });
    request.on('error', reject).end();
  });
}

async function hashOf(stream: AsyncIterable<unknown>): Promise<Buffer> {
  const hash = createHash('sha256');
  for await (const chunk of stream) hash.update(chunk as Buffer);
  return hash.digest();
}
