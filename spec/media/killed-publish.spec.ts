/**
 * A server that is killed while it brings a file into an object store, which goes on running in this process: `@20minutes/s3rver`, which calls
 * itself a fake (spec/support/s3-server.ts).
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type BytesReply, MediaClient } from '../support/media-requests.ts';
import { resumable } from '../support/resumable-uploads.ts';
import { type S3Server, secretAccessKeyOfTests, startS3Server } from '../support/s3-server.ts';
import { ServerProcess } from '../support/server-process.ts';
import { bytesOf } from './blob-store-contract.ts';

let s3: S3Server;
let server: ServerProcess;
let alice: MediaClient;
beforeEach(async () => {
  s3 = await startS3Server();
  const { endpoint = '', bucket, accessKeyId } = s3.settings;
  server = await ServerProcess.start({
    environment: {
      VECHE_MEDIA__STORAGE: 's3',
      VECHE_MEDIA__S3__ENDPOINT: endpoint,
      VECHE_MEDIA__S3__BUCKET: bucket,
      VECHE_MEDIA__S3__ACCESS_KEY_ID: accessKeyId,
      VECHE_MEDIA__S3__SECRET_ACCESS_KEY: secretAccessKeyOfTests,
    },
  });
  alice = await MediaClient.register(server, 'alice');
});
afterEach(async () => {
  await server.close();
  await s3.close();
});

const received = (): string[] => readdirSync(join(server.dataFolder, 'media/partial'));
const bytes = bytesOf(17_000_000);
const failed = (reply: Promise<BytesReply>): Promise<string> =>
  reply.then(
    ({ status }) => String(status),
    () => 'cut',
  );

/** Resolves when the store is asked for something, which is then never answered. */
function askedFor(wanted: (method: string, url: string) => boolean): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  s3.intercept = ({ method = '', url = '' }) => {
    if (!wanted(method, url)) return false;
    resolve();
    return true;
  };
  return promise;
}
const killAndRestart = async (): Promise<void> => {
  await server.kill();
  s3.intercept = undefined;
  await server.start();
};

it.each([
  ['a part', bytes, (method: string, url: string) => method === 'PUT' && url.includes('partNumber=2')],
  ['its end', bytes, (method: string, url: string) => method === 'POST' && url.includes('uploadId')],
  ['a small file', bytesOf(1_000), (method: string) => method === 'PUT'],
] as const)(
  'in the middle of %s leaves nothing, and what was there stays',
  async (_what, body, wanted) => {
    const before = await alice.upload(bytesOf(500));
    const keys = s3.keys();
    const asked = askedFor(wanted);
    const reply = failed(alice.request('POST', '/_matrix/media/v3/upload', { body }));
    await asked;
    await killAndRestart();
    expect(await reply).toBe('cut');
    expect([s3.keys(), s3.uploadsLeft(), received()]).toEqual([keys, [], []]);
    expect((await alice.download(before)).bytes.equals(bytesOf(500))).toBe(true);
    const uri = await alice.upload(body);
    expect((await alice.download(uri)).bytes.equals(body)).toBe(true);
    expect(s3.keys()).toHaveLength(keys.length + 1);
  },
  120_000,
);

it('in the middle of a resumable upload that was received: it is finished later, without its bytes again', async () => {
  const tus = { 'tus-resumable': '1.0.0' };
  const created = await alice.request('POST', `${resumable}/tus`, {
    headers: { ...tus, 'upload-length': String(bytes.length) },
  });
  const path = new URL(created.headers.get('location') ?? '', server.url).pathname;
  const asked = askedFor((method, url) => method === 'PUT' && url.includes('partNumber=3'));
  const type = 'application/offset+octet-stream';
  const headers = { ...tus, 'content-type': type, 'upload-offset': '0' };
  const reply = failed(alice.request('PATCH', path, { body: bytes, headers }));
  await asked;
  await killAndRestart();
  expect(await reply).toBe('cut');
  expect(s3.uploadsLeft()).toEqual([]);
  const head = await alice.request('HEAD', path, { headers: tus });
  expect([head.status, head.headers.get('upload-offset')]).toEqual([200, String(bytes.length)]);
  const download = await alice.download(created.headers.get('matrix-content-uri') ?? '');
  expect(download.bytes.equals(bytes)).toBe(true);
  expect([s3.keys().length, s3.uploadsLeft(), received()]).toEqual([1, [], []]);
}, 240_000);
