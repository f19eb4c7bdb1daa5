/** What administrators see of the life of files, over HTTP. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/matrix/json/json-value.ts';
import { type LoopbackServer, startLoopbackServer } from '../../support/loopback-server.ts';
import { MediaClient, mediaListeners } from '../../support/media-requests.ts';
import { TestClient } from '../../support/test-client.ts';
import { requestJson, type TestResponse } from '../../support/test-server.ts';

let server: LoopbackServer;
let admin: TestClient;
let alice: MediaClient;
let client: TestClient;
beforeAll(async () => {
  server = await startLoopbackServer({ config: mediaListeners });
  admin = await TestClient.registerAdministrator(server);
  alice = await MediaClient.register(server, 'alice');
  client = await TestClient.register(server, 'bob');
});
afterAll(() => server.close());

const ask = (method: 'GET' | 'POST', path: string, token = admin.token): Promise<TestResponse> =>
  requestJson(server.url, method, path, {
    ...(token === undefined ? {} : { token }),
    ...(method === 'GET' ? {} : { body: {} }),
  });
const at = '/_synapse/admin/v1';
const pathOf = (uri: string): string => uri.slice('mxc://'.length);

it('lists the files of a room that are not named in encrypted events', async () => {
  const uri = await alice.upload(Buffer.from('a file of a room'), 'text/plain', 'a.txt');
  const roomId = await client.createRoom();
  const content = { msgtype: 'm.file', body: 'a.txt', url: uri, info: { thumbnail_url: 'mxc://elsewhere.example/t' } };
  await client.setState(roomId, 'org.example.file', content);
  const path = `${at}/room/${encodeURIComponent(roomId)}/media`;
  expect((await ask('GET', path)).json).toEqual({ local: [uri], remote: ['mxc://elsewhere.example/t'] });
  expect((await ask('GET', path, alice.token)).json['errcode']).toBe('M_FORBIDDEN');
  expect((await ask('GET', `${at}/room/!nowhere:localhost/media`)).json['errcode']).toBe('M_NOT_FOUND');
});

it('tells what is known of a file', async () => {
  const uri = await alice.upload(Buffer.from('abc'), 'text/plain', 'b.txt');
  await alice.download(uri);
  const { json } = await ask('GET', `${at}/media/${pathOf(uri)}`);
  expect(json).toEqual({
    media_info: {
      media_origin: null,
      user_id: alice.userId,
      media_id: uri.slice(uri.lastIndexOf('/') + 1),
      media_type: 'text/plain',
      media_length: 3,
      upload_name: 'b.txt',
      created_ts: expect.any(Number) as number,
      filesystem_id: null,
      url_cache: null,
      last_access_ts: expect.any(Number) as number,
      quarantined_by: null,
      authenticated: true,
      safe_from_quarantine: false,
      sha256: 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    },
  });
  expect((await ask('GET', `${at}/media/localhost/nothing`)).json['errcode']).toBe('M_NOT_FOUND');
});

it('forgets copies of other servers’ files, of which there are none yet', async () => {
  expect((await ask('POST', `${at}/purge_media_cache?before_ts=1700000000000`)).json).toEqual({ deleted: 0 });
  expect((await ask('POST', `${at}/purge_media_cache?before_ts=1700000000`)).json['errcode']).toBe('M_INVALID_PARAM');
  expect((await ask('POST', `${at}/purge_media_cache`)).json['errcode']).toBe('M_MISSING_PARAM');
});

it('counts what there is', async () => {
  const path = '/_veche/admin/v1/statistics/media';
  const before = (await ask('GET', path)).json as Record<string, { media_count: number; media_length: number }>;
  const uris = [await alice.upload(Buffer.from('the same')), await alice.upload(Buffer.from('the same'))];
  await ask('POST', `${at}/media/protect/${uris[0]?.slice(uris[0].lastIndexOf('/') + 1)}`);
  const { json } = await ask('GET', path);
  const { local, stored } = json as { local: JsonObject; stored: JsonObject };
  expect(local).toEqual({
    media_count: (before['local']?.media_count ?? 0) + 2,
    media_length: (before['local']?.media_length ?? 0) + 16,
  });
  expect(stored).toEqual({
    media_count: (before['stored']?.media_count ?? 0) + 1,
    media_length: (before['stored']?.media_length ?? 0) + 8,
  });
  expect(json).toMatchObject({
    remote: { media_count: 0, media_length: 0 },
    previews: { media_count: 0, media_length: 0 },
    thumbnails: { media_count: 0, media_length: 0 },
    quarantined: { media_count: 0 },
    protected: { media_count: 1 },
    referenced: { media_count: 2, reference_count: 2 },
  });
});
