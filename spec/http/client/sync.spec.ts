import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/matrix/json/json-value.ts';
import { useLoopbackServer } from '../../support/loopback-server.ts';
import { passwordOfTests, refusal } from '../../support/test-accounts.ts';
import type { SyncAnswer } from '../../support/test-rooms.ts';
import { requestJson } from '../../support/test-server.ts';

const v3 = '/_matrix/client/v3';

describe('GET /sync', () => {
  const running = useLoopbackServer();

  const call = (method: string, path: string, token: string, body: JsonObject = {}) =>
    requestJson(running.url, method, v3 + path, { token, ...(method === 'GET' ? {} : { body }) });

  const register = async (username: string): Promise<string> => {
    const body = { auth: { type: 'm.login.dummy' }, username, password: passwordOfTests };
    return String((await requestJson(running.url, 'POST', `${v3}/register`, { body })).json['access_token']);
  };
  const createRoom = async (token: string, more: JsonObject = {}): Promise<string> =>
    String((await call('POST', '/createRoom', token, { preset: 'public_chat', ...more })).json['room_id']);
  let transactions = 0;
  const say = async (token: string, roomId: string, body: string, more: JsonObject = {}): Promise<string> => {
    const path = `/rooms/${encodeURIComponent(roomId)}/send/m.room.message/${++transactions}`;
    return String((await call('PUT', path, token, { msgtype: 'm.text', body, ...more })).json['event_id']);
  };
  const sync = async (token: string, query: Record<string, string> = {}): Promise<SyncAnswer> => {
    const { status, text } = await call('GET', `/sync?${new URLSearchParams(query).toString()}`, token);
    expect(status).toBe(200);
    return JSON.parse(text) as SyncAnswer;
  };

  it('applies a stored filter as one in the query', async () => {
    const [alice, bob] = [await register('alice'), await register('bob')];
    const roomId = await createRoom(alice);
    await call('POST', `/rooms/${encodeURIComponent(roomId)}/join`, bob);
    await say(alice, roomId, 'from alice');
    await say(bob, roomId, 'from bob');
    const filter = {
      event_fields: ['content.body'],
      room: { timeline: { senders: ['@bob:localhost'], types: ['m.room.mess*'] }, state: { types: [] } },
    };
    const { json } = await call('POST', '/user/@alice:localhost/filter', alice, filter);
    for (const given of [JSON.stringify(filter), String(json['filter_id'])]) {
      const room = (await sync(alice, { filter: given })).rooms?.join?.[roomId];
      expect(room?.timeline).toMatchObject({ events: [{ content: { body: 'from bob' } }], limited: false });
      expect(room?.state.events).toEqual([]);
    }
  });

  it('gives events as servers send them', async () => {
    const alice = await register('alice');
    const roomId = await createRoom(alice);
    const eventId = await say(alice, roomId, 'hello');
    const room = (await sync(alice, { filter: '{"event_format":"federation"}' })).rooms?.join?.[roomId];
    expect(room?.timeline.events.at(-1)).toMatchObject({
      event_id: eventId,
      room_id: roomId,
      hashes: {},
      signatures: { localhost: {} },
      unsigned: { transaction_id: String(transactions) },
    });
  });

  it.each([
    [{ use_state_after: 'true' }, 'state_after'],
    [{ 'org.matrix.msc4222.use_state_after': 'true' }, 'org.matrix.msc4222.state_after'],
    [{ use_state_after: 'true', 'org.matrix.msc4222.use_state_after': 'true' }, 'state_after'],
    [{ use_state_after: 'false' }, 'state'],
  ])('tells the state for %j as %s', async (query: Record<string, string>, field) => {
    const alice = await register('alice');
    const roomId = await createRoom(alice);
    const room = (await sync(alice, query)).rooms?.join?.[roomId] ?? {};
    const names = ['state', 'state_after', 'org.matrix.msc4222.state_after'];
    expect(names.filter((name) => name in room)).toEqual([field]);
  });

  it('refuses a use_state_after that is neither true nor false', async () => {
    const alice = await register('alice');
    expect(refusal(await call('GET', '/sync?use_state_after=1', alice))).toEqual([400, 'M_INVALID_PARAM']);
  });

  it('counts thread by thread for those who ask, and takes receipts of threads', async () => {
    const [alice, bob] = [await register('alice'), await register('bob')];
    const roomId = await createRoom(alice);
    await call('POST', `/rooms/${encodeURIComponent(roomId)}/join`, bob);
    const root = await say(alice, roomId, 'root');
    const inThread = await say(alice, roomId, 'reply', { 'm.relates_to': { rel_type: 'm.thread', event_id: root } });
    const filter = '{"room":{"timeline":{"unread_thread_notifications":true}}}';
    const counts = async () => {
      const room = (await sync(bob, { filter })).rooms?.join?.[roomId];
      return [room?.unread_notifications, room?.unread_thread_notifications?.[root]];
    };
    const [one, none] = [1, 0].map((count) => ({ notification_count: count, highlight_count: 0 }));
    const receipt = (type: string, eventId: string, body: JsonObject) =>
      call('POST', `/rooms/${encodeURIComponent(roomId)}/receipt/${type}/${encodeURIComponent(eventId)}`, bob, body);
    expect(await counts()).toEqual([one, one]);
    for (const [type, threadId] of [
      ['m.read', ''],
      ['m.read', 7],
      ['m.read', 'main'],
      ['m.read.private', '$nowhere'],
      ['m.fully_read', root],
    ] as const)
      expect(refusal(await receipt(type, inThread, { thread_id: threadId }))).toEqual([400, 'M_INVALID_PARAM']);
    expect(refusal(await receipt('m.read', inThread, { thread_id: root }))).toEqual([200, undefined]);
    expect(await counts()).toEqual([one, undefined]);
    expect(refusal(await receipt('m.read.private', root, { thread_id: 'main' }))).toEqual([200, undefined]);
    expect(await counts()).toEqual([none, undefined]);
  });

  it.each([
    ['{"event_format":"xml"}', 'M_BAD_JSON'],
    ['{"event_fields":"type"}', 'M_BAD_JSON'],
    ['{"room":{"timeline":{"limit":"10"}}}', 'M_BAD_JSON'],
    ['{', 'M_NOT_JSON'],
    ['17', 'M_INVALID_PARAM'],
  ])('refuses the filter %s', async (filter, errcode) => {
    const alice = await register('alice');
    const query = new URLSearchParams({ filter }).toString();
    expect(refusal(await call('GET', `/sync?${query}`, alice))).toEqual([400, errcode]);
  });
});
