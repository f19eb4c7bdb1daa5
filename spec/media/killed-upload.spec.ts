/** A server that is killed while files come, and what it holds in memory meanwhile. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { MediaClient } from '../support/media-requests.ts';
import { openRawConnection } from '../support/raw-connection.ts';
import { ServerProcess } from '../support/server-process.ts';

let server: ServerProcess;
beforeEach(async () => {
  server = await ServerProcess.start();
});
afterEach(() => server.close());

const filesIn = (name: 'blobs' | 'partial'): string[] =>
  readdirSync(join(server.dataFolder, 'media', name), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => entry.name);

it('nothing is left of what was coming, and nothing is lost of what was there', async () => {
  const alice = await MediaClient.register(server, 'alice');
  const bytes = Buffer.from('stored before');
  const uri = await alice.upload(bytes, 'text/plain', 'before.txt');
  const before = filesIn('blobs');
  const connections = [0, 1, 2].map((index) => {
    const connection = openRawConnection(server.port);
    connection.send(
      `POST /_matrix/media/v3/upload HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${alice.token}\r\nContent-Length: 50000000\r\n\r\n`,
    );
    connection.send(Buffer.alloc(2_000_000, index));
    return connection;
  });
  await vi.waitUntil(() => filesIn('partial').length === connections.length, { timeout: 30_000 });
  await server.killAndRestart();
  for (const connection of connections) connection.destroy();
  expect(filesIn('partial')).toEqual([]);
  expect(filesIn('blobs')).toEqual(before);
  expect((await alice.download(uri)).bytes).toEqual(bytes);
}, 120_000);

it.runIf(process.platform === 'linux')(
  'a file of 64 MiB goes up and down without being in memory',
  async () => {
    const alice = await MediaClient.register(server, 'alice');
    await alice.download(await alice.upload(Buffer.alloc(1_000_000)));
    const before = peakBytes(server.pid);
    const [piece, pieces] = [Buffer.alloc(1_048_576, 7), 64];
    const hash = createHash('sha256');
    let sent = 0;
    const body = new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          hash.update(piece);
          controller.enqueue(new Uint8Array(piece));
          if (++sent === pieces) controller.close();
        },
      },
      { highWaterMark: 1 },
    );
    const { bytes } = await alice.request('POST', '/_matrix/media/v3/upload', { body });
    const { content_uri: uri } = JSON.parse(bytes.toString()) as { content_uri: string };
    const received = await alice.download(uri);
    expect(createHash('sha256').update(received.bytes).digest()).toEqual(hash.digest());
    expect(peakBytes(server.pid) - before).toBeLessThan(48 * 1_048_576);
  },
  120_000,
);

/** The most memory that the process had at once. */
const peakBytes = (pid: number): number =>
  Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1_024;
