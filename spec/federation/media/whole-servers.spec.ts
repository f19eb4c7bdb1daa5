/** Two whole servers and each other's files. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterEach, expect, it } from 'vitest';
import { bytesOf } from '../../media/blob-store-contract.ts';
import { picture } from '../../media/support/pictures.ts';
import { describeOnBothEngines } from '../../support/databases.ts';
import { type FederatedServers, startFederatedServers } from '../../support/federated-servers.ts';
import { type BytesReply, downloadPath, MediaClient } from '../../support/media-requests.ts';
import { secretAccessKeyOfTests, startS3Server } from '../../support/s3-server.ts';

const storages = ['local', 's3'] as const;
const refusal = ({ status, errcode }: BytesReply): unknown => [status, errcode];

describeOnBothEngines('files of the other server', (engine) => {
  let servers: FederatedServers;
  let alice: MediaClient;
  let bob: MediaClient;
  const closing: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const close of closing.splice(0).toReversed()) await close();
  });
  const start = async (storage: (typeof storages)[number]): Promise<void> => {
    let media = '{}';
    if (storage === 's3') {
      const s3 = await startS3Server();
      closing.push(() => s3.close());
      const { endpoint, bucket, accessKeyId } = s3.settings;
      const key = `access_key_id: ${accessKeyId}, secret_access_key: ${secretAccessKeyOfTests}`;
      media = `{ storage: s3, s3: { endpoint: "${endpoint}", bucket: ${bucket}, ${key} } }`;
    }
    servers = await startFederatedServers(['one.test', 'two.test'], {
      engine,
      configOf: { 'two.test': { media } },
      config: { media: '{ pending_upload_hours: 1 }' },
    });
    closing.push(() => servers.close());
    alice = await MediaClient.register(servers.get('one.test'), 'alice');
    bob = await MediaClient.register(servers.get('two.test'), 'bob');
  };
  const asked = (): number => servers.passed.filter(({ uri }) => uri.includes('/media/')).length;

  it.each(storages)('are read, in ranges too, and fetched once: %s', async (storage) => {
    await start(storage);
    const bytes = bytesOf(3_000_000);
    const uri = await alice.upload(bytes, 'application/pdf', 'Книга.pdf');
    const replies = await Promise.all([bob.download(uri), bob.download(uri), bob.download(uri)]);
    for (const { status, headers, bytes: received } of replies) {
      expect([status, received.equals(bytes)]).toEqual([200, true]);
      expect(headers.get('content-type')).toBe('application/pdf');
      expect(headers.get('content-disposition')).toContain(
        'attachment; filename="?????.pdf"; filename*=UTF-8\'\'%D0%9A',
      );
      expect(headers.get('content-security-policy')).toContain('sandbox');
    }
    const part = await bob.download(uri, { range: 'bytes=2999990-' });
    expect([part.status, part.bytes.equals(bytes.subarray(2_999_990))]).toEqual([206, true]);
    expect((await bob.download(uri, {}, 'HEAD')).headers.get('content-length')).toBe('3000000');
    const renamed = await bob.request('GET', `${downloadPath(uri)}/b.pdf`);
    expect(renamed.headers.get('content-disposition')).toBe('attachment; filename=b.pdf');
    expect(asked()).toBe(1);
    const empty = await alice.upload(Buffer.alloc(0), 'text/plain');
    expect([(await bob.download(empty)).status, (await bob.download(empty)).bytes.length]).toEqual([200, 0]);
  });

  it.each(storages)('have thumbnails, which are made here: %s', async (storage) => {
    await start(storage);
    const photo = await picture({ width: 1_000, height: 750 }).jpeg().toBuffer();
    const uri = await alice.upload(photo, 'image/jpeg', 'photo.jpg');
    const path = `/_matrix/client/v1/media/thumbnail/${uri.slice(6)}?width=320&height=240&method=scale`;
    const reply = await bob.request('GET', path);
    expect(await sharp(reply.bytes).metadata()).toMatchObject({ format: 'jpeg', width: 320, height: 240 });
    expect((await bob.download(uri)).bytes.equals(photo)).toBe(true);
    expect(asked()).toBe(1);
  });

  it('are waited for until they are uploaded, and are not there otherwise', async () => {
    await start('local');
    const uri = await alice.create();
    const path = `${downloadPath(uri)}?timeout_ms=0`;
    expect(refusal(await bob.request('GET', path))).toEqual([504, 'M_NOT_YET_UPLOADED']);
    const waiting = bob.request('GET', `${downloadPath(uri)}?timeout_ms=50000`);
    await expect.poll(asked, { timeout: 30_000 }).toBe(1);
    const put = `/_matrix/media/v3/upload/${uri.slice(6)}`;
    expect((await alice.request('PUT', put, { body: bytesOf(10) })).status).toBe(200);
    expect((await waiting).bytes.equals(bytesOf(10))).toBe(true);
    expect(refusal(await bob.download('mxc://one.test/unknown'))).toEqual([404, 'M_NOT_FOUND']);
    const before = asked();
    expect(refusal(await bob.download('mxc://one.test/unknown'))).toEqual([404, 'M_NOT_FOUND']);
    expect(asked()).toBe(before);
    servers.cut('one.test', 'two.test');
    const other = await alice.upload(bytesOf(20));
    expect(refusal(await bob.download(other))).toEqual([502, 'M_UNKNOWN']);
    expect((await bob.download(uri)).bytes.equals(bytesOf(10))).toBe(true);
  });

  it('leave nothing of what was on its way when this server ended', async () => {
    servers = await startFederatedServers(['two.test'], { engine, isOnDisk: true });
    closing.push(() => servers.close());
    const unsent = Promise.withResolvers<void>();
    closing.push(async () => unsent.resolve());
    servers.addPeer('peer.test', ({ uri }) => {
      if (!uri.includes('/media/download/')) return undefined;
      return {
        headers: { 'content-type': 'multipart/mixed; boundary=abc' },
        stream: (async function* () {
          yield Buffer.from('--abc\r\nContent-Type: application/json\r\n\r\n{}\r\n--abc\r\n\r\n');
          yield Buffer.from(bytesOf(400_000));
          await unsent.promise;
          yield Buffer.from(bytesOf(100_000));
          yield Buffer.from('\r\n--abc--');
        })(),
      };
    });
    bob = await MediaClient.register(servers.get('two.test'), 'bob');
    const { dataFolder } = servers.get('two.test');
    const received = (): string[] => readdirSync(join(dataFolder, 'media/partial'));
    const waiting = bob.download('mxc://peer.test/abc').catch((error: unknown) => error);
    await expect.poll(received, { timeout: 30_000 }).toHaveLength(1);
    await servers.restart('two.test');
    await waiting;
    expect(received()).toEqual([]);
    unsent.resolve();
    expect((await bob.download('mxc://peer.test/abc')).bytes.length).toBe(500_000);
    expect(received()).toEqual([]);
  });
});
