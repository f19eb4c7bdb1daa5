/**
 * tus-js-client as it is over 256 kbit/s with 5 % of the packets lost each way, 400 ms of delay and an outage of 30 s.
 * The large file takes more than ten minutes.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { eventually } from '../journeys/support/eventually.ts';
import { makeLargeFile } from '../journeys/support/large-file.ts';
import { MediaClient } from '../support/media-requests.ts';
import { Relay } from '../support/relay.ts';
import { resumable } from '../support/resumable-uploads.ts';
import { ServerProcess } from '../support/server-process.ts';
import { BadLine } from './support/bad-line.ts';

const program = fileURLToPath(new URL('support/tus-upload-process.ts', import.meta.url));

it.each([
  [2, 1],
  [20, 2],
])(
  'a file of %i MB arrives, and at most a tenth of it goes twice',
  { timeout: 1_800_000 },
  async (megabytes, number) => {
    const sizeBytes = megabytes * 1_000_000;
    const folder = mkdtempSync(join(tmpdir(), 'veche-line-'));
    const line = BadLine.open(number);
    const server = await ServerProcess.start();
    const relay = await Relay.start({ port: server.port, delayMs: 400 }, { host: line.address, port: 0 });
    try {
      const [alice, bob] = [await MediaClient.register(server, 'alice'), await MediaClient.register(server, 'bob')];
      const path = join(folder, 'file');
      const sha256 = await makeLargeFile(path, sizeBytes);
      const started = performance.now();
      const endpoint = `http://${line.address}:${relay.port}${resumable}/tus`;
      const uploaded = line.runNode(program, endpoint, alice.token, path);
      uploaded.catch(() => undefined);
      await eventually('a quarter to be there', () => relay.sentBytes > sizeBytes / 4 || undefined, 1_200_000);
      relay.goOut();
      await delay(30_000);
      relay.comeBack();
      const reply = await bob.download(await uploaded);
      const seconds = Math.round((performance.now() - started) / 1_000);
      console.log(
        `${megabytes} MB: ${seconds} s, ${relay.sentBytes} bytes went to the server, heads of requests among them`,
      );
      expect(reply.headers.get('etag')).toBe(`"${sha256.toString('base64url')}"`);
      expect(relay.sentBytes).toBeLessThanOrEqual(sizeBytes * 1.1);
    } finally {
      await relay.close();
      await server.close();
      line.close();
      rmSync(folder, { recursive: true });
    }
  },
);
