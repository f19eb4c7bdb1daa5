/** Administration of files over HTTP, in the shapes that admin tools know. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/matrix/json/json-value.ts';
import { type LoopbackServer, startLoopbackServer } from '../../support/loopback-server.ts';
import { MediaClient, mediaListeners } from '../../support/media-requests.ts';
import { TestClient } from '../../support/test-client.ts';
import { requestJson, type TestResponse } from '../../support/test-server.ts';

const dayMs = 86_400_000;
let server: LoopbackServer;
let admin: TestClient;
let alice: MediaClient;
let bob: MediaClient;
let names = 0;
beforeAll(async () => {
  server = await startLoopbackServer({ config: mediaListeners });
  admin = await TestClient.registerAdministrator(server);
});
afterAll(() => server.close());
beforeEach(async () => {
  alice = await MediaClient.register(server, `alice${++names}`);
  bob = await MediaClient.register(server, `bob${names}`);
});

const ask = (
  method: 'GET' | 'POST' | 'DELETE',
  path: string,
  query: Readonly<Record<string, string>> = {},
): Promise<TestResponse> => {
  const text = new URLSearchParams(query).toString();
  return requestJson(server.url, method, `/_synapse/admin/v1/${path}${text === '' ? '' : `?${text}`}`, {
    ...(admin.token === undefined ? {} : { token: admin.token }),
    ...(method === 'GET' ? {} : { body: {} }),
  });
};
const refusalOf = async (response: Promise<TestResponse>): Promise<unknown> => {
  const { status, json } = await response;
  return [status, json['errcode']];
};
const idOf = (uri: string): string => uri.slice(uri.lastIndexOf('/') + 1);
const pathOf = (uri: string): string => uri.slice('mxc://'.length);
const ofUser = ({ userId }: MediaClient): string => `users/${encodeURIComponent(userId)}/media`;
const idsOf = (json: JsonObject): unknown[] => (json['media'] as JsonObject[]).map(({ media_id: id }) => id);
const blobs = (): number =>
  readdirSync(join(server.dataFolder, 'media/blobs'), { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  ).length;
const statusOf = async (client: MediaClient, uri: string): Promise<number> => (await client.download(uri)).status;

describe("a user's files", () => {
  it('are listed newest first, with what is known of them', async () => {
    const first = await alice.upload(Buffer.from('1'), 'text/plain', 'b.txt');
    const second = await alice.upload(Buffer.from('22'));
    await alice.create();
    await bob.download(first);
    const { json } = await ask('GET', ofUser(alice));
    expect(new Set(idsOf(json))).toEqual(new Set([idOf(first), idOf(second)]));
    expect(json).toMatchObject({ total: 2 });
    expect(json).not.toHaveProperty('next_token');
    expect((json['media'] as JsonObject[]).find(({ media_id: id }) => id === idOf(first))).toEqual({
      created_ts: expect.any(Number) as number,
      last_access_ts: expect.any(Number) as number,
      media_id: idOf(first),
      media_length: 1,
      media_type: 'text/plain',
      quarantined_by: null,
      safe_from_quarantine: false,
      upload_name: 'b.txt',
    });
  });

  it('are listed in every order, page by page', async () => {
    const uris = [
      await alice.upload(Buffer.from('333'), 'text/plain', 'a'),
      await alice.upload(Buffer.from('1'), 'text/css', 'c'),
      await alice.upload(Buffer.from('22'), 'text/html'),
    ];
    const [a, b, c] = uris.map(idOf);
    const ordered = async (order: string, dir: string): Promise<unknown> =>
      idsOf((await ask('GET', ofUser(alice), { order_by: order, dir })).json);
    expect(await ordered('media_length', 'f')).toEqual([b, c, a]);
    expect(await ordered('media_length', 'b')).toEqual([a, c, b]);
    expect(await ordered('upload_name', 'f')).toEqual([c, a, b]);
    expect(await ordered('media_type', 'f')).toEqual([b, c, a]);
    for (const order of ['media_id', 'created_ts', 'last_access_ts', 'quarantined_by', 'safe_from_quarantine'])
      expect(await ordered(order, 'b')).toHaveLength(3);
    const page = (await ask('GET', ofUser(alice), { order_by: 'media_length', limit: '2' })).json;
    expect([idsOf(page), page['next_token'], page['total']]).toEqual([[b, c], 2, 3]);
    const rest = (await ask('GET', ofUser(alice), { order_by: 'media_length', limit: '2', from: '2' })).json;
    expect([idsOf(rest), rest['next_token']]).toEqual([[a], undefined]);
  });

  it('are deleted in that order, so many at once', async () => {
    const before = blobs();
    const kept = await alice.upload(Buffer.from(`kept by ${alice.userId}`));
    const large = await alice.upload(Buffer.from(`large, of ${alice.userId} alone`));
    const shared = await bob.upload(Buffer.from(`kept by ${alice.userId}`));
    const query = { order_by: 'media_length', dir: 'b', limit: '1' };
    expect((await ask('DELETE', ofUser(alice), query)).json).toEqual({ deleted_media: [idOf(large)], total: 1 });
    expect([await statusOf(bob, large), await statusOf(bob, kept)]).toEqual([404, 200]);
    expect(blobs()).toBe(before + 1);
    expect((await ask('DELETE', ofUser(alice))).json).toEqual({ deleted_media: [idOf(kept)], total: 1 });
    expect([await statusOf(bob, kept), await statusOf(bob, shared)]).toEqual([404, 200]);
    expect((await ask('DELETE', ofUser(bob))).json['total']).toBe(1);
    expect(blobs()).toBe(before);
  });

  it('are nobody else’s business, and only of this server', async () => {
    const listing = `/_synapse/admin/v1/${ofUser(alice)}`;
    expect((await alice.request('GET', listing)).errcode).toBe('M_FORBIDDEN');
    expect(await refusalOf(ask('GET', 'users/@nobody:localhost/media'))).toEqual([404, 'M_NOT_FOUND']);
    expect(await refusalOf(ask('DELETE', 'users/@a:elsewhere.example/media'))).toEqual([400, 'M_INVALID_PARAM']);
    expect(await refusalOf(ask('GET', ofUser(alice), { order_by: 'colour' }))).toEqual([400, 'M_INVALID_PARAM']);
    expect(await refusalOf(ask('GET', ofUser(alice), { from: '-1' }))).toEqual([400, 'M_INVALID_PARAM']);
  });
});

describe('deleting', () => {
  it('one file takes its thumbnails along', async () => {
    const before = blobs();
    const bytes = await sharp({ create: { width: 400, height: 300, channels: 3, background: '#804020' } })
      .png()
      .toBuffer();
    const uri = await alice.upload(bytes, 'image/png');
    const thumbnail = `/_matrix/client/v1/media/thumbnail/${pathOf(uri)}?width=64&height=64&method=crop`;
    expect((await alice.request('GET', thumbnail)).status).toBe(200);
    expect(blobs()).toBe(before + 2);
    expect((await ask('DELETE', `media/${pathOf(uri)}`)).json).toEqual({ deleted_media: [idOf(uri)], total: 1 });
    expect(blobs()).toBe(before);
    expect((await alice.request('GET', thumbnail)).status).toBe(404);
    expect(await refusalOf(ask('DELETE', `media/${pathOf(uri)}`))).toEqual([404, 'M_NOT_FOUND']);
    expect(await refusalOf(ask('DELETE', 'media/elsewhere.example/abc'))).toEqual([404, 'M_NOT_FOUND']);
  });

  it('what nobody uses spares what was used later, is small, or is somebody’s picture', async () => {
    const upload = (text: string): Promise<string> => alice.upload(Buffer.from(`${text} of ${alice.userId}`));
    const large = await upload('quite a large file');
    const small = await upload('x');
    const [face, roomFace, oldRoomFace] = [
      await upload('the face'),
      await upload('the room'),
      await upload('a room!!'),
    ];
    const headers = { authorization: `Bearer ${alice.token}` };
    const v3 = `${server.url}/_matrix/client/v3`;
    const put = async (path: string, body: JsonObject): Promise<void> => {
      const response = await fetch(v3 + path, { method: 'PUT', headers, body: JSON.stringify(body) });
      expect(response.status).toBe(200);
    };
    await put(`/profile/${encodeURIComponent(alice.userId)}/avatar_url`, { avatar_url: face });
    const made = await fetch(`${v3}/createRoom`, { method: 'POST', headers, body: '{}' });
    const { room_id: room } = (await made.json()) as { readonly room_id: string };
    for (const url of [oldRoomFace, roomFace])
      await put(`/rooms/${encodeURIComponent(room)}/state/m.room.avatar`, { url });
    const past = { before_ts: String(Date.UTC(2020, 0, 1)) };
    const future = { before_ts: String(Date.UTC(2200, 0, 1)), size_gt: String(`x of ${alice.userId}`.length) };
    expect((await ask('POST', 'media/delete', past)).json).toEqual({ deleted_media: [], total: 0 });
    const { json } = await ask('POST', 'media/delete', future);
    expect(json['deleted_media']).toEqual(expect.arrayContaining([idOf(large), idOf(oldRoomFace)]));
    const statuses = await Promise.all([large, small, face, roomFace].map((uri) => statusOf(bob, uri)));
    expect(statuses).toEqual([404, 200, 200, 200]);
    await ask('POST', 'media/localhost/delete', { ...future, keep_profiles: 'false' });
    expect(await Promise.all([small, face, roomFace].map((uri) => statusOf(bob, uri)))).toEqual([200, 404, 404]);
  });

  it('what nobody uses counts a day of use as used', async () => {
    const uri = await alice.upload(Buffer.from(`read by ${alice.userId}`));
    await bob.download(uri);
    const [row] = (await ask('GET', ofUser(alice))).json['media'] as [JsonObject];
    const day = Number(row['last_access_ts']);
    await ask('POST', 'media/delete', { before_ts: String(day + dayMs - 1) });
    expect(await statusOf(bob, uri)).toBe(200);
    await ask('POST', 'media/delete', { before_ts: String(day + 2 * dayMs) });
    expect(await statusOf(bob, uri)).toBe(404);
  });

  it('refuses what cannot be meant', async () => {
    expect(await refusalOf(ask('POST', 'media/delete'))).toEqual([400, 'M_MISSING_PARAM']);
    expect(await refusalOf(ask('POST', 'media/delete', { before_ts: '1700000000' }))).toEqual([400, 'M_INVALID_PARAM']);
    expect(await refusalOf(ask('POST', 'media/elsewhere.example/delete', { before_ts: '1700000000000' }))).toEqual([
      400,
      'M_INVALID_PARAM',
    ]);
    const odd = { before_ts: '1700000000000', keep_profiles: 'perhaps' };
    expect(await refusalOf(ask('POST', 'media/delete', odd))).toEqual([400, 'M_INVALID_PARAM']);
  });
});

describe('quarantine', () => {
  it('hides a file and its like from everybody until it is ended', async () => {
    const bytes = Buffer.from(`bad, says ${alice.userId}`);
    const [uri, same] = [await alice.upload(bytes), await bob.upload(bytes)];
    expect((await ask('POST', `media/quarantine/${pathOf(uri)}`)).json).toEqual({});
    const thumbnail = `/_matrix/client/v1/media/thumbnail/${pathOf(uri)}?width=64&height=64`;
    expect((await alice.request('GET', thumbnail)).errcode).toBe('M_NOT_FOUND');
    expect([await statusOf(alice, uri), await statusOf(bob, same)]).toEqual([404, 404]);
    expect((await ask('GET', ofUser(alice))).json['media']).toMatchObject([{ quarantined_by: admin.userId }]);
    expect((await ask('POST', `media/unquarantine/${pathOf(uri)}`)).json).toEqual({});
    expect([await statusOf(alice, uri), await statusOf(bob, same)]).toEqual([200, 200]);
    expect(await refusalOf(ask('POST', 'media/quarantine/localhost/nothing'))).toEqual([404, 'M_NOT_FOUND']);
  });

  it('ends an upload that continues', async () => {
    const at = '/_matrix/media/unstable/org.veche.resumable/tus';
    const headers = { 'tus-resumable': '1.0.0' };
    const begun = await alice.request('POST', at, { headers: { ...headers, 'upload-length': '5' } });
    expect(begun.status).toBe(201);
    const location = new URL(begun.headers.get('location') ?? '', server.url).pathname;
    expect((await alice.request('HEAD', location, { headers })).status).toBe(200);
    const uri = begun.headers.get('matrix-content-uri') ?? '';
    expect((await ask('POST', `media/quarantine/${pathOf(uri)}`)).status).toBe(200);
    const part = { ...headers, 'upload-offset': '0', 'content-type': 'application/offset+octet-stream' };
    expect((await alice.request('HEAD', location, { headers })).status).toBe(404);
    expect((await alice.request('PATCH', location, { headers: part, body: Buffer.from('12345') })).status).toBe(404);
    expect((await ask('POST', `media/unquarantine/${pathOf(uri)}`)).status).toBe(200);
    expect((await alice.request('PATCH', location, { headers: part, body: Buffer.from('12345') })).status).toBe(204);
    expect((await bob.download(uri)).bytes.toString()).toBe('12345');
    expect((await ask('DELETE', `media/${pathOf(uri)}`)).status).toBe(200);
    expect((await alice.request('HEAD', location, { headers })).status).toBe(404);
  });

  it('refuses an upload to what was created before', async () => {
    const uri = await alice.create();
    await ask('POST', `media/quarantine/${pathOf(uri)}`);
    const path = `/_matrix/media/v3/upload/${pathOf(uri)}`;
    expect((await alice.request('PUT', path, { body: Buffer.from('x') })).errcode).toBe('M_NOT_FOUND');
  });

  it('of all of a user’s files spares protected ones', async () => {
    const [bad, good] = [await alice.upload(Buffer.from('bad')), await alice.upload(Buffer.from('good'))];
    expect((await ask('POST', `media/protect/${idOf(good)}`)).json).toEqual({});
    const all = `user/${encodeURIComponent(alice.userId)}/media/quarantine`;
    expect((await ask('POST', all)).json).toEqual({ num_quarantined: 1 });
    expect((await ask('POST', all)).json).toEqual({ num_quarantined: 0 });
    expect([await statusOf(bob, bad), await statusOf(bob, good)]).toEqual([404, 200]);
    expect(await refusalOf(ask('POST', `media/quarantine/${pathOf(good)}`))).toEqual([403, 'M_FORBIDDEN']);
    expect((await ask('POST', `media/unprotect/${idOf(good)}`)).json).toEqual({});
    expect((await ask('POST', `media/quarantine/${pathOf(good)}`)).json).toEqual({});
    expect(await statusOf(bob, good)).toBe(404);
    expect(await refusalOf(ask('POST', 'media/protect/nothing'))).toEqual([404, 'M_NOT_FOUND']);
    expect(await refusalOf(ask('POST', 'media/protect/a.b'))).toEqual([400, 'M_INVALID_PARAM']);
  });

  it('is of a content: what is uploaded later with the same bytes is hidden, too', async () => {
    const bytes = Buffer.from(`spam of ${alice.userId}`);
    const uri = await alice.upload(bytes);
    await ask('POST', `media/quarantine/${pathOf(uri)}`);
    await ask('DELETE', `media/${pathOf(uri)}`);
    const again = await bob.upload(bytes);
    expect(await statusOf(alice, again)).toBe(404);
    const filled = await bob.create();
    await bob.request('PUT', `/_matrix/media/v3/upload/${pathOf(filled)}`, { body: bytes });
    expect(await statusOf(alice, filled)).toBe(404);
    expect((await ask('GET', ofUser(bob))).json['media']).toMatchObject([
      { quarantined_by: admin.userId },
      { quarantined_by: admin.userId },
    ]);
    await ask('POST', `media/unquarantine/${pathOf(again)}`);
    expect([await statusOf(alice, again), await statusOf(alice, filled)]).toEqual([200, 200]);
    expect(await statusOf(alice, await alice.upload(bytes))).toBe(200);
  });

  it('of a room hides what its events name, and no pictures of members', async () => {
    const call = (method: 'POST' | 'PUT', path: string, body: JsonObject): Promise<TestResponse> =>
      requestJson(server.url, method, `/_matrix/client/v3${path}`, { token: alice.token, body });
    const upload = (text: string): Promise<string> => alice.upload(Buffer.from(`${text} of ${alice.userId}`));
    const [sent, shown, own, picture, spared, elsewhere] = await Promise.all(
      ['sent', 'shown', 'own', 'picture', 'spared', 'elsewhere'].map((text) => upload(text)),
    );
    const room = String((await call('POST', '/createRoom', {})).json['room_id']);
    const inRoom = `/rooms/${encodeURIComponent(room)}`;
    const send = (number: number, content: JsonObject): Promise<TestResponse> =>
      call('PUT', `${inRoom}/send/m.room.message/${number}`, content);
    await send(1, { msgtype: 'm.image', body: 'x', url: sent ?? '', info: { thumbnail_url: shown ?? '' } });
    await send(2, { msgtype: 'm.file', body: 'x', url: spared ?? '' });
    await send(3, { msgtype: 'm.file', body: 'x', url: 'mxc://elsewhere.example/abc' });
    await call('PUT', `${inRoom}/state/m.room.avatar`, { url: picture ?? '' });
    await call('PUT', `${inRoom}/state/m.room.member/${encodeURIComponent(alice.userId)}`, {
      membership: 'join',
      avatar_url: own ?? '',
    });
    await ask('POST', `media/protect/${idOf(spared ?? '')}`);
    const at = `room/${encodeURIComponent(room)}/media/quarantine`;
    expect((await ask('POST', at)).json).toEqual({ num_quarantined: 4 });
    expect((await ask('POST', `quarantine_media/${encodeURIComponent(room)}`)).json).toEqual({ num_quarantined: 0 });
    const uris = [sent, shown, picture, own, spared, elsewhere];
    const statuses = await Promise.all(uris.map((uri) => statusOf(bob, uri ?? '')));
    expect(statuses).toEqual([404, 404, 404, 200, 200, 200]);
    expect(await refusalOf(ask('POST', 'room/!nowhere:localhost/media/quarantine'))).toEqual([404, 'M_NOT_FOUND']);
    expect(await refusalOf(ask('POST', 'room/nowhere/media/quarantine'))).toEqual([400, 'M_INVALID_PARAM']);
  });
});

describe('statistics', () => {
  it('say how much each user has', async () => {
    await alice.upload(Buffer.from('12345'));
    await bob.upload(Buffer.from('123'));
    await bob.upload(Buffer.from('4'));
    const path = 'statistics/users/media';
    const ofPair = async (query: Readonly<Record<string, string>>): Promise<unknown> =>
      ((await ask('GET', path, query)).json['users'] as JsonObject[])
        .filter(({ user_id: id }) => id === alice.userId || id === bob.userId)
        .map(({ user_id: id, media_count: count, media_length: bytes }) => [id, count, bytes]);
    const ofAlice = [alice.userId, 1, 5];
    const ofBob = [bob.userId, 2, 4];
    expect(await ofPair({})).toEqual([ofAlice, ofBob]);
    expect(await ofPair({ dir: 'b' })).toEqual([ofBob, ofAlice]);
    expect(await ofPair({ order_by: 'media_length' })).toEqual([ofBob, ofAlice]);
    expect(await ofPair({ order_by: 'media_count' })).toEqual([ofAlice, ofBob]);
    expect(await ofPair({ order_by: 'displayname' })).toHaveLength(2);
    expect(await ofPair({ until_ts: '1000' })).toEqual([]);
    const found = (await ask('GET', path, { search_term: `LICE${names}` })).json;
    expect(found).toMatchObject({ total: 1, users: [{ user_id: alice.userId, displayname: `alice${names}` }] });
    const page = (await ask('GET', path, { limit: '1' })).json;
    expect(page['next_token']).toBe(1);
    expect(await refusalOf(ask('GET', path, { from_ts: '2', until_ts: '1' }))).toEqual([400, 'M_INVALID_PARAM']);
    expect(await refusalOf(ask('GET', path, { search_term: '\0' }))).toEqual([400, 'M_INVALID_PARAM']);
  });
});
