/** How much each user may have. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type LoopbackServer, startLoopbackServer } from '../../../support/loopback-server.ts';
import { type BytesReply, MediaClient, mediaListeners } from '../../../support/media-requests.ts';
import { TestClient } from '../../../support/test-client.ts';
import { requestJson } from '../../../support/test-server.ts';

const uploadPath = '/_matrix/media/v3/upload';
const resumable = '/_matrix/media/unstable/org.veche.resumable';
const infoUri = 'https://example.org/limits';
const bytesMax = 3_000_000;
const filesMax = 4;
let server: LoopbackServer;
let admin: TestClient;
let alice: MediaClient;
let names = 0;
beforeAll(async () => {
  const media = `{ user_bytes_max: ${bytesMax}, user_files_max: ${filesMax}, user_limit_info_uri: '${infoUri}' }`;
  server = await startLoopbackServer({ config: { ...mediaListeners, media } });
  admin = await TestClient.registerAdministrator(server);
});
afterAll(() => server.close());
beforeEach(async () => {
  alice = await MediaClient.register(server, `alice${++names}`);
});

const refusalOf = ({ status, bytes }: BytesReply): unknown => {
  const { errcode, info_uri: uri } = JSON.parse(bytes.toString()) as Record<string, unknown>;
  return [status, errcode, uri];
};
const refused = [403, 'M_USER_LIMIT_EXCEEDED', infoUri];
const post = (body: Buffer | ReadableStream<Uint8Array>): Promise<BytesReply> =>
  alice.request('POST', uploadPath, { body });
const streamOf = (bytes: number): ReadableStream<Uint8Array> => {
  let left = bytes;
  return new ReadableStream({
    pull(controller) {
      const chunk = Math.min(left, 65_536);
      if (chunk > 0) controller.enqueue(new Uint8Array(chunk));
      left -= chunk;
      if (left === 0) controller.close();
    },
  });
};
const deleteAll = async (): Promise<void> => {
  const path = `/_synapse/admin/v1/users/${encodeURIComponent(alice.userId)}/media`;
  const token = admin.token ?? '';
  expect((await requestJson(server.url, 'DELETE', path, { token, body: {} })).status).toBe(200);
};
const unfinished = (): string[] => readdirSync(join(server.dataFolder, 'media/partial'));

describe('a user', () => {
  it('has so many bytes, to the byte, and again when they are deleted', async () => {
    await alice.upload(Buffer.alloc(bytesMax - 10));
    expect(refusalOf(await post(Buffer.alloc(11)))).toEqual(refused);
    expect((await post(Buffer.alloc(10))).status).toBe(200);
    expect(refusalOf(await post(Buffer.alloc(1)))).toEqual(refused);
    expect(unfinished()).toEqual([]);
    const bob = await MediaClient.register(server, `bob${names}`);
    await bob.upload(Buffer.alloc(bytesMax - 10));
    await deleteAll();
    expect((await post(Buffer.alloc(bytesMax))).status).toBe(200);
  });

  it('has so many files', async () => {
    for (let count = 0; count < filesMax; count++) await alice.upload(Buffer.from('the same'));
    expect(refusalOf(await post(Buffer.alloc(0)))).toEqual(refused);
    await deleteAll();
    expect((await post(Buffer.alloc(0))).status).toBe(200);
  });

  it('has no more by uploads whose length is not known, or that come together', async () => {
    expect(refusalOf(await post(streamOf(bytesMax + 1)))).toEqual(refused);
    expect(unfinished()).toEqual([]);
    expect((await post(streamOf(bytesMax))).status).toBe(200);
    await deleteAll();
    const part = bytesMax / 2;
    const replies = await Promise.all([
      post(Buffer.alloc(part)),
      post(Buffer.alloc(part, 1)),
      post(Buffer.alloc(part, 2)),
    ]);
    expect(replies.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 200, 403]);
  });

  it('has no more by filling what was created before', async () => {
    const uri = await alice.create();
    const path = `${uploadPath}/${uri.slice('mxc://'.length)}`;
    await alice.upload(Buffer.alloc(bytesMax - 1));
    expect(refusalOf(await alice.request('PUT', path, { body: Buffer.alloc(2) }))).toEqual(refused);
    expect((await alice.request('PUT', path, { body: Buffer.alloc(1) })).status).toBe(200);
  });
});

describe('an upload that continues', () => {
  const begin = (lengthBytes: number | undefined): Promise<BytesReply> =>
    alice.request('POST', `${resumable}/upload`, {
      headers: {
        'upload-complete': '?0',
        ...(lengthBytes === undefined ? {} : { 'upload-length': String(lengthBytes) }),
        'content-length': '0',
      },
    });
  const pathOf = ({ status, headers }: BytesReply): string => {
    expect(status).toBe(201);
    return new URL(headers.get('location') ?? '', server.url).pathname;
  };
  const append = (path: string, offset: number, body: Buffer, isLast: boolean): Promise<BytesReply> =>
    alice.request('PATCH', path, {
      body,
      headers: {
        'content-type': 'application/partial-upload',
        'upload-offset': String(offset),
        'upload-complete': isLast ? '?1' : '?0',
      },
    });

  it('is counted with its length from its beginning, until it is cancelled', async () => {
    expect((await begin(bytesMax + 1)).errcode).toBe('M_USER_LIMIT_EXCEEDED');
    const path = pathOf(await begin(bytesMax - 10));
    expect(refusalOf(await post(Buffer.alloc(11)))).toEqual(refused);
    expect((await begin(11)).errcode).toBe('M_USER_LIMIT_EXCEEDED');
    expect((await append(path, 0, Buffer.alloc(bytesMax - 10), true)).status).toBe(200);
    expect((await post(Buffer.alloc(10))).status).toBe(200);
    await deleteAll();
    const other = pathOf(await begin(bytesMax));
    expect(refusalOf(await post(Buffer.alloc(1)))).toEqual(refused);
    expect((await alice.request('DELETE', other)).status).toBe(204);
    expect((await post(Buffer.alloc(bytesMax))).status).toBe(200);
  });

  it('whose length is not known goes on once there is room', async () => {
    await alice.upload(Buffer.alloc(bytesMax - 1_000));
    const path = pathOf(await begin(undefined));
    expect((await append(path, 0, Buffer.alloc(600), false)).status).toBeLessThan(300);
    expect((await append(path, 600, Buffer.alloc(600), true)).errcode).toBe('M_USER_LIMIT_EXCEEDED');
    const head = await alice.request('HEAD', path);
    const offset = Number(head.headers.get('upload-offset'));
    expect(offset).toBe(600);
    await deleteAll();
    expect((await append(path, offset, Buffer.alloc(600), true)).status).toBe(200);
  });
});
