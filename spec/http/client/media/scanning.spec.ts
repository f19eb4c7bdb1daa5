/** Files that are scanned, over HTTP, and the API of matrix-content-scanner. What stands in for clamd: spec/support/clamd-stand-in.ts. */
import sharp from 'sharp';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { JsonObject } from '../../../../src/matrix/json/json-value.ts';
import { type ClamdStandIn, malware, malwareName, startClamdStandIn } from '../../../support/clamd-stand-in.ts';
import { encryptAttachment, encryptedBodyFor, encryptWith } from '../../../support/encrypted-files.ts';
import { type LoopbackServer, startLoopbackServer } from '../../../support/loopback-server.ts';
import { downloadPath, MediaClient, mediaListeners, requestBytes } from '../../../support/media-requests.ts';
import { TestClient } from '../../../support/test-client.ts';
import { requestJson } from '../../../support/test-server.ts';

let standIn: ClamdStandIn;
let server: LoopbackServer;
let admin: TestClient;
let alice: MediaClient;
let bob: MediaClient;

const start = async (settings: Readonly<Record<string, string | number>> = {}, media = ''): Promise<void> => {
  const scanner = Object.entries({ clamd: `"${standIn.address}"`, ...settings })
    .map(([key, value]) => `${key}: ${value}`)
    .join(', ');
  server = await startLoopbackServer({ config: { ...mediaListeners, media: `{ ${media} scanner: { ${scanner} } }` } });
  admin = await TestClient.registerAdministrator(server);
  [alice, bob] = [await MediaClient.register(server, 'alice'), await MediaClient.register(server, 'bob')];
};
beforeEach(async () => {
  standIn = await startClamdStandIn();
});
afterEach(async () => {
  await server.close();
  await standIn.close();
});

const pathOf = (uri: string): string => uri.slice('mxc://'.length);
const proxy = '/_matrix/media_proxy/unstable';
const infected = (text = ''): Buffer => Buffer.concat([Buffer.from(text), malware]);
const jsonIn = ({ bytes }: { readonly bytes: Buffer }): JsonObject => JSON.parse(bytes.toString()) as JsonObject;
const ask = async (path: string, body?: JsonObject | string): Promise<[number, JsonObject]> => {
  const reply = await alice.request(
    body === undefined ? 'GET' : 'POST',
    `${proxy}${path}`,
    body === undefined
      ? {}
      : {
          body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)),
          headers: { 'content-type': 'application/json' },
        },
  );
  return [reply.status, jsonIn(reply)];
};
const administer = (method: 'GET' | 'POST', path: string) =>
  requestJson(server.url, method, path, { token: admin.token ?? '', ...(method === 'GET' ? {} : { body: {} }) });
const metric = async (name: string): Promise<number> => {
  const text = (await requestBytes(server, 'GET', '/metrics')).bytes.toString();
  const line = text.split('\n').find((one) => one.startsWith(`${name} `));
  return Number(line?.split(' ')[1] ?? 0);
};
const untilScanned = (count: number): Promise<void> =>
  vi.waitFor(() => expect(standIn.streams).toHaveLength(count), { timeout: 30_000 });
const virus = { clean: false, info: `The scanner found ${malwareName}` };

describe('files', () => {
  it('are scanned when they are uploaded, once each, and served when they are clean', async () => {
    await start();
    const uri = await alice.upload(Buffer.from('hello'));
    await untilScanned(1);
    const reply = await bob.download(uri);
    expect([reply.status, reply.bytes.toString()]).toEqual([200, 'hello']);
    await bob.download(await bob.upload(Buffer.from('hello')));
    expect((await bob.download(uri, { range: 'bytes=1-2' })).bytes.toString()).toBe('el');
    expect(standIn.streams.map(String)).toEqual(['hello']);
    expect(await metric('veche_media_scans_total{result="clean"}')).toBe(1);
  });

  it('are never served when they are malware, under no URI, on no path', async () => {
    await start({}, 'allow_unauthenticated: true,');
    const uri = await alice.upload(infected('x'), 'text/plain', 'x.txt');
    const paths = [
      downloadPath(uri),
      `${downloadPath(uri)}/name.txt`,
      downloadPath(uri).replace('download', 'thumbnail').concat('?width=10&height=10'),
      `/_matrix/media/v3/download/${pathOf(uri)}`,
      `/_matrix/media/v3/thumbnail/${pathOf(uri)}?width=10&height=10`,
    ];
    for (const path of paths) expect((await bob.request('GET', path)).errcode, path).toBe('M_NOT_FOUND');
    expect((await bob.request('HEAD', downloadPath(uri))).status).toBe(404);
    expect((await bob.download(uri, { range: 'bytes=0-0' })).status).toBe(404);
    const again = await bob.upload(infected('x'));
    expect((await alice.download(again)).errcode).toBe('M_NOT_FOUND');
    expect(standIn.streams).toHaveLength(1);
    expect(await metric('veche_media_scans_total{result="infected"}')).toBe(1);
    const { json } = await administer('GET', `/_synapse/admin/v1/users/${encodeURIComponent(bob.userId)}/media`);
    expect((json['media'] as JsonObject[])[0]?.['quarantined_by']).toBe(`clamd: ${malwareName}`);
  });

  it('that come in resumable uploads, and to URIs of before, are no exception', async () => {
    await start();
    const uri = await alice.create();
    const path = `/_matrix/media/v3/upload/${pathOf(uri)}`;
    expect((await alice.request('PUT', path, { body: infected('async') })).status).toBe(200);
    expect((await bob.download(uri)).errcode).toBe('M_NOT_FOUND');
    const again = await alice.create();
    await alice.request('PUT', `/_matrix/media/v3/upload/${pathOf(again)}`, { body: infected('async') });
    expect((await bob.download(again)).errcode).toBe('M_NOT_FOUND');
    expect(standIn.streams).toHaveLength(1);
    const headers = { 'tus-resumable': '1.0.0' };
    const bytes = infected('tus');
    const begun = await alice.request('POST', '/_matrix/media/unstable/org.veche.resumable/tus', {
      headers: { ...headers, 'upload-length': String(bytes.length) },
    });
    const location = new URL(begun.headers.get('location') ?? '', server.url).pathname;
    const part = { ...headers, 'upload-offset': '0', 'content-type': 'application/offset+octet-stream' };
    expect((await alice.request('PATCH', location, { headers: part, body: bytes })).status).toBe(204);
    expect((await bob.download(begun.headers.get('matrix-content-uri') ?? '')).errcode).toBe('M_NOT_FOUND');
    expect(standIn.streams).toHaveLength(2);
  });

  it('are not served while the scanner does not answer, which says when to come again', async () => {
    standIn.manner = 'cut';
    await start();
    const uri = await alice.upload(Buffer.from('hello'));
    const reply = await bob.download(uri);
    expect([reply.status, reply.errcode]).toEqual([503, 'M_UNKNOWN']);
    expect(jsonIn(reply)['retry_after_ms']).toBe(5_000);
    expect(reply.headers.get('retry-after')).toBe('5');
    expect(await metric('veche_media_scans_total{result="failed"}')).toBeGreaterThan(0);
  });

  it('are served then where that is wanted', async () => {
    standIn.manner = 'cut';
    await start({ unanswered: 'serve' });
    expect((await bob.download(await alice.upload(infected()))).status).toBe(200);
  });

  it('cannot be larger than the scanner takes, unless that is wanted', async () => {
    await start({ stream_bytes_max: 100 });
    const large = Buffer.alloc(101, 1);
    const config = await alice.request('GET', '/_matrix/client/v1/media/config');
    expect(jsonIn(config)).toEqual({ 'm.upload.size': 100 });
    expect((await alice.request('POST', '/_matrix/media/v3/upload', { body: large })).errcode).toBe('M_TOO_LARGE');
    expect((await bob.download(await alice.upload(large.subarray(1)))).status).toBe(200);
    await server.close();
    await start({ stream_bytes_max: 100, larger_files: 'serve' });
    expect((await bob.download(await alice.upload(large))).status).toBe(200);
    expect(standIn.streams).toHaveLength(1);
  });

  it('become thumbnails when they are clean', async () => {
    await start();
    const image = await sharp({ create: { width: 900, height: 600, channels: 3, background: '#369' } })
      .png()
      .toBuffer();
    const uri = await alice.upload(image, 'image/png');
    const path = downloadPath(uri).replace('download', 'thumbnail');
    expect((await bob.request('GET', `${path}?width=64&height=64`)).status).toBe(200);
    expect((await bob.request('GET', `${proxy}/thumbnail/${pathOf(uri)}?width=64&height=64`)).status).toBe(200);
    expect(standIn.streams).toHaveLength(1);
  });
});

describe('administrators', () => {
  it('see what was found, and decide otherwise', async () => {
    await start();
    const uri = await alice.upload(infected('secret'));
    await bob.download(uri);
    const path = '/_veche/admin/v1/media/malware';
    const { json } = await administer('GET', path);
    expect(json).toEqual({
      total: 1,
      malware: [
        {
          sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
          finding: malwareName,
          scanner: 'clamd',
          scanner_version: standIn.version,
          scanned_ts: expect.any(Number),
          accepted_by: null,
          media_length: 29,
          media: [{ mxc_uri: uri, user_id: alice.userId }],
        },
      ],
    });
    expect((await alice.request('GET', path)).errcode).toBe('M_FORBIDDEN');
    await administer('POST', `/_synapse/admin/v1/media/unquarantine/${pathOf(uri)}`);
    expect((await bob.download(uri)).status).toBe(200);
    const accepted = (await administer('GET', path)).json['malware'] as JsonObject[];
    expect(accepted[0]?.['accepted_by']).toBe(admin.userId);
    expect(standIn.streams).toHaveLength(1);
  });
});

describe('the API of matrix-content-scanner', () => {
  it('says whether a file is clean, and serves it', async () => {
    await start();
    const [good, bad] = [await alice.upload(Buffer.from('hello')), await alice.upload(infected())];
    expect(await ask(`/scan/${pathOf(good)}`)).toEqual([200, { clean: true, info: 'Nothing was found' }]);
    const download = await bob.request('GET', `${proxy}/download/${pathOf(good)}`);
    expect([download.status, download.bytes.toString()]).toEqual([200, 'hello']);
    // The first time, and when it is in quarantine already.
    for (let time = 0; time < 2; time++) expect(await ask(`/scan/${pathOf(bad)}`)).toEqual([200, virus]);
    for (const path of [`/download/${pathOf(bad)}`, `/thumbnail/${pathOf(bad)}?width=10&height=10`])
      expect(await ask(path)).toMatchObject([403, { reason: 'MCS_MEDIA_NOT_CLEAN', info: virus.info }]);
  });

  it('knows encrypted files by their keys, which nobody else has', async () => {
    await start();
    const good = await encryptAttachment(Buffer.from('hello'));
    const bad = await encryptAttachment(infected('y'.repeat(200_000)));
    const [goodUri, badUri] = [await alice.upload(good.bytes), await alice.upload(bad.bytes)];
    await untilScanned(2);
    // What the server sees of itself says nothing.
    expect((await bob.download(badUri)).status).toBe(200);
    const file = good.fileAt(goodUri);
    expect(await ask('/scan_encrypted', { file })).toEqual([200, { clean: true, info: 'Nothing was found' }]);
    const reply = await alice.request('POST', `${proxy}/download_encrypted`, {
      body: Buffer.from(JSON.stringify({ file })),
    });
    expect([reply.status, reply.bytes]).toEqual([200, good.bytes]);
    expect(standIn.streams.map(({ length }) => length)).toEqual([
      ...standIn.streams.slice(0, 2).map(({ length }) => length),
      5,
    ]);
    const badFile = bad.fileAt(badUri);
    expect(await ask('/scan_encrypted', { file: badFile })).toEqual([200, virus]);
    expect(await ask('/download_encrypted', { file: badFile })).toMatchObject([403, { reason: 'MCS_MEDIA_NOT_CLEAN' }]);
    expect((await bob.download(badUri)).errcode).toBe('M_NOT_FOUND');
    expect(standIn.streams).toHaveLength(4);
    expect(standIn.streams[3]?.subarray(200_000).equals(malware)).toBe(true);
  });

  it('reads requests that are encrypted for it, by a key that outlives the process', async () => {
    await start();
    const { bytes, fileAt } = await encryptAttachment(infected());
    const file = fileAt(await alice.upload(bytes));
    const { public_key: key } = (await ask('/public_key'))[1];
    expect((await ask('/public_key'))[1]).toEqual({ public_key: key });
    const body = await encryptedBodyFor(String(key), { file });
    expect(await ask('/scan_encrypted', { encrypted_body: body })).toEqual([200, virus]);
    const bad = 'MCS_BAD_DECRYPTION';
    const other = 'hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo';
    expect(await ask('/scan_encrypted', { encrypted_body: await encryptedBodyFor(other, { file }) })).toMatchObject([
      403,
      { reason: bad },
    ]);
    for (const text of ['', 'no JSON', '[]', '{}', '{"file":{"v":"v2"}}']) {
      const encrypted = { encrypted_body: await encryptedBodyFor(String(key), text) };
      expect(await ask('/scan_encrypted', encrypted), text).toMatchObject([403, { reason: bad }]);
    }
    expect(await ask('/scan_encrypted', { encrypted_body: { ...body, mac: 'AAAAAAAAAAA' } })).toMatchObject([
      403,
      { reason: bad },
    ]);
  });

  it('refuses what it cannot read', async () => {
    await start();
    const { bytes, fileAt } = encryptWith(Buffer.from('hello'));
    const uri = await alice.upload(bytes);
    const file = fileAt(uri);
    const key = file['key'] as JsonObject;
    const wrong: (JsonObject | string)[] = [
      '',
      'no JSON',
      '[]',
      {},
      { file: null },
      { file: 'x' },
      { file: { ...file, v: 'v1' } },
      { file: { ...file, url: uri.replace('mxc', 'https') } },
      { file: { ...file, url: `${uri}/../x` } },
      { file: { ...file, iv: 'AAAA' } },
      { file: { ...file, iv: 5 } },
      { file: { ...file, hashes: {} } },
      { file: { ...file, hashes: { sha256: 'AAAA' } } },
      { file: { ...file, key: { ...key, k: 'AAAA' } } },
      { file: { ...file, key: { ...key, alg: 'A128CTR' } } },
      { file: { ...file, key: { ...key, kty: 'RSA' } } },
      { file: { ...file, key: { ...key, ext: false } } },
      { file: { ...file, key: { ...key, key_ops: ['decrypt'] } } },
      { file: { ...file, key: { ...key, key_ops: 'encrypt decrypt' } } },
      { encrypted_body: 'x' },
      { encrypted_body: { ciphertext: 'AAAA', mac: 'AAAA' } },
    ];
    for (const body of wrong)
      for (const path of ['/scan_encrypted', '/download_encrypted'])
        expect(await ask(path, body), JSON.stringify(body)).toMatchObject([400, { reason: 'MCS_MALFORMED_JSON' }]);
    const others = { ...file, hashes: { sha256: 'A'.repeat(43) } };
    expect(await ask('/scan_encrypted', { file: others })).toMatchObject([
      400,
      { reason: 'MCS_MEDIA_FAILED_TO_DECRYPT' },
    ]);
    const nowhere = { ...file, url: `mxc://localhost/nowhere` };
    expect(await ask('/scan_encrypted', { file: nowhere })).toMatchObject([404, { reason: 'M_NOT_FOUND' }]);
    expect(await ask('/scan/localhost/nowhere')).toMatchObject([
      404,
      { reason: 'M_NOT_FOUND', errcode: 'M_NOT_FOUND' },
    ]);
    expect((await ask('/scan/no%20server/x'))[0]).toBe(404);
    expect(await ask('/scan_encrypted', { file })).toEqual([200, { clean: true, info: 'Nothing was found' }]);
  });

  it('needs an access token, unless the configuration says otherwise', async () => {
    await start();
    const uri = await alice.upload(Buffer.from('hello'));
    const path = `${proxy}/scan/${pathOf(uri)}`;
    const refusal = await requestBytes(server, 'GET', path);
    expect([refusal.status, jsonIn(refusal)]).toMatchObject([
      401,
      { errcode: 'M_MISSING_TOKEN', reason: 'M_MISSING_TOKEN' },
    ]);
    const unknown = await requestBytes(server, 'GET', path, { token: 'unknown' });
    expect([unknown.status, jsonIn(unknown)]).toMatchObject([401, { reason: 'M_UNKNOWN_TOKEN' }]);
    expect((await requestBytes(server, 'GET', `${proxy}/public_key`)).status).toBe(200);
    expect((await requestBytes(server, 'GET', `${proxy}/public_key`)).headers.get('access-control-allow-origin')).toBe(
      '*',
    );
    await server.close();
    await start({ allow_unauthenticated: 'true' });
    const open = await alice.upload(Buffer.from('hello'));
    expect((await requestBytes(server, 'GET', `${proxy}/scan/${pathOf(open)}`)).status).toBe(200);
  });

  it('is not there where nothing is scanned', async () => {
    await start({ clamd: 'null' });
    for (const path of ['/public_key', '/scan/localhost/x', '/download/localhost/x'])
      expect(await ask(path)).toMatchObject([404, { errcode: 'M_UNRECOGNIZED', reason: 'M_NOT_FOUND' }]);
    expect((await bob.download(await alice.upload(infected()))).status).toBe(200);
  });
});
