/** tus-js-client as it is, over a line that is cut again and again. */
import { afterEach, expect, it } from 'vitest';
import { Upload } from 'tus-js-client';
import { bytesOf } from '../../../media/blob-store-contract.ts';
import { useLoopbackServer } from '../../../support/loopback-server.ts';
import { MediaClient, mediaListeners } from '../../../support/media-requests.ts';
import { Relay } from '../../../support/relay.ts';
import { resumable } from '../../../support/resumable-uploads.ts';

const server = useLoopbackServer({ config: mediaListeners });
let relay: Relay | undefined;
afterEach(async () => {
  await relay?.close();
  relay = undefined;
});

function upload(url: string, token: string, bytes: Buffer, chunkSize: number): Promise<string> {
  return new Promise((resolve, reject) => {
    let uri = '';
    new Upload(bytes, {
      endpoint: `${url}${resumable}/tus`,
      chunkSize,
      retryDelays: Array.from({ length: 20 }, () => 10),
      headers: { authorization: `Bearer ${token}` },
      metadata: { filename: 'отчёт.bin', filetype: 'application/octet-stream' },
      onAfterResponse: (_request, response) => {
        uri = response.getHeader('matrix-content-uri') ?? uri;
      },
      onError: reject,
      onSuccess: () => resolve(uri),
    }).start();
  });
}

it.each([
  ['in one request', Infinity],
  ['in chunks', 500_000],
])('sends a file %s over cuts, and no more than a tenth of it twice', { timeout: 120_000 }, async (_how, chunkSize) => {
  const [alice, bob] = [await MediaClient.register(server, 'alice'), await MediaClient.register(server, 'bob')];
  const bytes = bytesOf(12_000_000);
  const cutsAt = [300_000, 900_000, 3_000_000, 7_500_000, 11_900_000];
  relay = await Relay.start({ port: Number(new URL(server.url).port), delayMs: 5, cutsAt });
  const uri = await upload(relay.url, alice.token, bytes, chunkSize);
  expect(relay.cuts).toBe(5);
  expect(relay.sentBytes).toBeLessThanOrEqual(bytes.length * 1.1);
  const reply = await bob.download(uri);
  expect(reply.bytes.equals(bytes)).toBe(true);
  expect(reply.headers.get('content-disposition')).toContain("UTF-8''%D0%BE%D1%82%D1%87%D1%91%D1%82.bin");
});

it('goes on when the access token ends in the middle', async () => {
  const alice = await MediaClient.register(server, 'alice');
  const bob = await MediaClient.register(server, 'bob');
  const bytes = bytesOf(1_000_000);
  let isLoggedOut = false;
  const uri = await new Promise<string>((resolve, reject) => {
    let found = '';
    new Upload(bytes, {
      endpoint: `${server.url}${resumable}/tus`,
      chunkSize: 100_000,
      retryDelays: null,
      headers: { authorization: `Bearer ${alice.token}` },
      onAfterResponse: (_request, response) => {
        found = response.getHeader('matrix-content-uri') ?? found;
      },
      onBeforeRequest: async (request) => {
        if (request.getMethod() !== 'PATCH' || isLoggedOut) return;
        isLoggedOut = true;
        await alice.request('POST', '/_matrix/client/v3/logout');
      },
      onError: reject,
      onSuccess: () => resolve(found),
    }).start();
  });
  expect((await alice.request('GET', '/_matrix/client/v3/account/whoami')).status).toBe(401);
  expect((await bob.download(uri)).bytes.equals(bytes)).toBe(true);
});
