import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/matrix/json/json-value.ts';
import { type LoopbackServer, startLoopbackServer } from '../../support/loopback-server.ts';
import { passwordOfTests, refusal } from '../../support/test-accounts.ts';
import { requestJson } from '../../support/test-server.ts';

const v1 = '/_matrix/client/v1';
const v3 = '/_matrix/client/v3';

describe('relations and times over HTTP', () => {
  let running: LoopbackServer;
  let [alice, bob, roomId, root, message, edit] = ['', '', '', '', '', ''];
  beforeAll(async () => {
    running = await startLoopbackServer();
    [alice, bob] = [await register('alice'), await register('bob')];
    roomId = String((await call('POST', `${v3}/createRoom`, alice, {})).json['room_id']);
    root = await send('m.room.message', { msgtype: 'm.text', body: 'root' });
    message = await send('m.room.message', { body: 'reply', 'm.relates_to': { rel_type: 'm.thread', event_id: root } });
    const relation = { rel_type: 'm.replace', event_id: message };
    edit = await send('m.room.message', { body: '*', 'm.new_content': { body: 'better' }, 'm.relates_to': relation });
  });
  afterAll(() => running.close());

  const call = (method: string, path: string, token: string, body?: JsonObject) =>
    requestJson(running.url, method, path, { token, ...(body === undefined ? {} : { body }) });
  const register = async (username: string): Promise<string> => {
    const body = { auth: { type: 'm.login.dummy' }, username, password: passwordOfTests };
    return String((await requestJson(running.url, 'POST', `${v3}/register`, { body })).json['access_token']);
  };
  let transactions = 0;
  const inRoom = (path: string): string => `/rooms/${encodeURIComponent(roomId)}/${path}`;
  const put = (type: string, content: JsonObject) =>
    call('PUT', `${v3}${inRoom(`send/${type}/${++transactions}`)}`, alice, content);
  const send = async (type: string, content: JsonObject): Promise<string> =>
    String((await put(type, content)).json['event_id']);
  const relations = (path: string, token = alice) => call('GET', `${v1}${inRoom(`relations/${path}`)}`, token);
  const idsIn = (json: JsonObject): unknown[] => (json['chunk'] as JsonObject[]).map((event) => event['event_id']);

  it('answers all three forms, with directions, pages and depths', async () => {
    const id = encodeURIComponent(root);
    const { status, json } = await relations(id);
    expect(status).toBe(200);
    expect(idsIn(json)).toEqual([message]);
    expect(json).toMatchObject({
      chunk: [{ unsigned: { 'm.relations': { 'm.replace': { event_id: edit, room_id: roomId } } } }],
    });
    expect(idsIn((await relations(`${id}/m.thread`)).json)).toEqual([message]);
    expect(idsIn((await relations(`${id}/m.thread/m.room.message`)).json)).toEqual([message]);
    expect(idsIn((await relations(`${id}/m.thread/m.dummy`)).json)).toEqual([]);
    const page = await relations(`${id}?recurse=true&dir=f&limit=1`);
    expect(page.json).toMatchObject({ chunk: [{ event_id: message }], recursion_depth: 3 });
    const next = await relations(`${id}?recurse=true&dir=f&from=${String(page.json['next_batch'])}`);
    expect(idsIn(next.json)).toEqual([edit]);
  });

  it('refuses what cannot be, and strangers as if nothing were there', async () => {
    const id = encodeURIComponent(root);
    for (const query of ['dir=x', 'limit=many', 'recurse=maybe', 'from=nonsense', 'to=nonsense'])
      expect(refusal(await relations(`${id}?${query}`)), query).toEqual([400, 'M_INVALID_PARAM']);
    expect(refusal(await relations('nonsense'))).toEqual([400, 'M_INVALID_PARAM']);
    expect(refusal(await relations('$nowhere'))).toEqual([404, 'M_NOT_FOUND']);
    expect(refusal(await relations(id, bob))).toEqual([404, 'M_NOT_FOUND']);
    expect(refusal(await relations(id, 'nobody'))).toEqual([401, 'M_UNKNOWN_TOKEN']);
  });

  it('lists threads', async () => {
    const threads = (query: string, token = alice) => call('GET', `${v1}${inRoom(`threads${query}`)}`, token);
    const { json } = await threads('?include=participated&limit=1');
    expect(json).toMatchObject({
      chunk: [
        {
          event_id: root,
          unsigned: { 'm.relations': { 'm.thread': { latest_event: { event_id: message }, count: 1 } } },
        },
      ],
    });
    expect(json['next_batch']).toBeUndefined();
    for (const query of ['?include=some', '?limit=0', '?from=nonsense'])
      expect(refusal(await threads(query)), query).toEqual([400, 'M_INVALID_PARAM']);
    expect(refusal(await threads('', bob))).toEqual([403, 'M_FORBIDDEN']);
  });

  it('finds events by time', async () => {
    const at = (query: string, token = alice) => call('GET', `${v1}${inRoom(`timestamp_to_event${query}`)}`, token);
    const { status, json } = await at('?ts=0&dir=f');
    expect([status, Object.keys(json).toSorted()]).toEqual([200, ['event_id', 'origin_server_ts']]);
    expect(refusal(await at('?ts=0&dir=b'))).toEqual([404, 'M_NOT_FOUND']);
    expect(refusal(await at('?ts=0&dir=f', bob))).toEqual([403, 'M_FORBIDDEN']);
    for (const query of ['?ts=0', '?dir=f']) expect(refusal(await at(query)), query).toEqual([400, 'M_MISSING_PARAM']);
    for (const query of ['?ts=soon&dir=f', '?ts=0&dir=x'])
      expect(refusal(await at(query)), query).toEqual([400, 'M_INVALID_PARAM']);
  });

  it('refuses a second annotation with the same key, and a thread within a thread', async () => {
    const reaction = { 'm.relates_to': { rel_type: 'm.annotation', event_id: root, key: '👍' } };
    expect((await put('m.reaction', reaction)).status).toBe(200);
    expect(refusal(await put('m.reaction', reaction))).toEqual([400, 'M_DUPLICATE_ANNOTATION']);
    const nested = { 'm.relates_to': { rel_type: 'm.thread', event_id: message } };
    expect(refusal(await put('m.room.message', nested))).toEqual([400, 'M_UNKNOWN']);
  });
});
