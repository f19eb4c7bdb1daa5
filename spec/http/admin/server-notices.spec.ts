import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/matrix/json/json-value.ts';
import { onPostgres } from '../../support/databases.ts';
import { type LoopbackServer, startLoopbackServer } from '../../support/loopback-server.ts';
import { refusal } from '../../support/test-accounts.ts';
import { TestClient, roomPath, succeeded } from '../../support/test-client.ts';
import { requestJson, type TestResponse } from '../../support/test-server.ts';

const config = {
  listeners: '[{ bind: 127.0.0.1, port: 0, serve: [client, admin] }]',
  rooms: '{ encrypt_by_default: all }',
  server_notices: '{ display_name: School office, avatar_url: "mxc://localhost/office", room_name: From the office }',
};
const path = '/_synapse/admin/v1/send_server_notice';

function noticesOf(start: () => Promise<LoopbackServer>): void {
  const withServer = async (use: (world: Awaited<ReturnType<typeof worldOf>>) => Promise<void>): Promise<void> => {
    const running = await start();
    try {
      await use(await worldOf(running));
    } finally {
      await running.close();
    }
  };

  it('come in a room of their own, which cannot be refused but left', () =>
    withServer(async ({ admin, alice, notify, invites }) => {
      const { event_id: first } = await succeeded(notify({ body: 'hello' }));
      const [roomId, shown] = (await invites())[0] ?? ['', []];
      expect(shown).toContainEqual(
        expect.objectContaining({ type: 'm.room.name', content: { name: 'From the office' } }),
      );
      expect(shown.every(({ sender }) => sender === '@_server:localhost')).toBe(true);
      const cannotLeave = [403, 'M_CANNOT_LEAVE_SERVER_NOTICE_ROOM'];
      expect(refusal(await alice.post(`${roomPath(roomId)}/leave`))).toEqual(cannotLeave);
      const member = `${roomPath(roomId)}/state/m.room.member/${encodeURIComponent(alice.userId)}`;
      expect(refusal(await alice.put(member, { membership: 'leave' }))).toEqual(cannotLeave);
      const tags = await succeeded(alice.get(`/user/${encodeURIComponent(alice.userId)}${roomPath(roomId)}/tags`));
      expect(tags).toEqual({ tags: { 'm.server_notice': {} } });

      await succeeded(alice.post(`${roomPath(roomId)}/join`));
      const event = await succeeded(alice.get(`${roomPath(roomId)}/event/${encodeURIComponent(String(first))}`));
      expect(event).toMatchObject({ sender: '@_server:localhost', content: { msgtype: 'm.text', body: 'hello' } });
      const encryption = await alice.get(`${roomPath(roomId)}/state/m.room.encryption/`);
      expect(encryption.status).toBe(404);
      expect(
        refusal(await alice.put(`${roomPath(roomId)}/send/m.room.message/1`, { body: 'no', msgtype: 'm.text' })),
      ).toEqual([403, 'M_FORBIDDEN']);
      const profile = await succeeded(alice.get('/profile/%40_server%3Alocalhost'));
      expect(profile).toEqual({ displayname: 'School office', avatar_url: 'mxc://localhost/office' });

      await succeeded(alice.post(`${roomPath(roomId)}/leave`));
      await succeeded(notify({ body: 'again' }));
      expect((await invites()).map(([id]) => id)).toEqual([roomId]);
      expect(admin.userId).toBe('@admin:localhost');
    }));

  it('are sent once for each transaction, and can be state', () =>
    withServer(async ({ alice, notify, invites }) => {
      const { event_id: first } = await succeeded(notify({ body: 'x' }, {}, '1'));
      expect(await succeeded(notify({ body: 'x' }, {}, '1'))).toEqual({ event_id: first });
      expect((await succeeded(notify({ body: 'x' }, {}, '2')))['event_id']).not.toBe(first);
      const pins = { type: 'm.room.pinned_events', state_key: '' };
      await succeeded(notify({ pinned: [String(first)] }, pins));
      const roomId = (await invites())[0]?.[0] ?? '';
      await succeeded(alice.post(`${roomPath(roomId)}/join`));
      const pinned = await succeeded(alice.get(`${roomPath(roomId)}/state/m.room.pinned_events/`));
      expect(pinned['pinned']).toEqual([first]);
    }));

  it('are for administrators to send, and for users of this server to get', () =>
    withServer(async ({ admin, alice, notify, send }) => {
      expect(refusal(await send('POST', path, alice.token, {}))).toEqual([403, 'M_FORBIDDEN']);
      expect(refusal(await notify({ body: 'x' }, { user_id: '@nobody:localhost' }))).toEqual([404, 'M_NOT_FOUND']);
      expect(refusal(await notify({ body: 'x' }, { user_id: '@alice:else.example' }))).toEqual([400, 'M_UNKNOWN']);
      await succeeded(notify({ body: 'x' }));
      expect(refusal(await notify({ body: 'x' }, { user_id: '@_server:localhost' }))).toEqual([400, 'M_UNKNOWN']);
      expect(refusal(await send('POST', path, admin.token, { user_id: alice.userId }))).toEqual([
        400,
        'M_MISSING_PARAM',
      ]);
    }));

  it('reach who takes no invites, and end with the account', () =>
    withServer(async ({ alice, notify, invites }) => {
      const blocked = { default_action: 'block' };
      const data = `/user/${encodeURIComponent(alice.userId)}/account_data/m.invite_permission_config`;
      await succeeded(alice.put(data, blocked));
      await succeeded(notify({ body: 'x' }));
      expect(await invites()).toHaveLength(1);
      const auth = {
        type: 'm.login.password',
        identifier: { type: 'm.id.user', user: 'alice' },
        password: 'sUp3rs3kr1t',
      };
      await succeeded(alice.post('/account/deactivate', { auth }));
      expect(refusal(await notify({ body: 'x' }))).toEqual([404, 'M_NOT_FOUND']);
    }));
}

async function worldOf(running: LoopbackServer) {
  const admin = await TestClient.registerAdministrator(running);
  const alice = await TestClient.register(running, 'alice');
  const send = (method: string, where: string, token: string | undefined, body: JsonObject): Promise<TestResponse> =>
    requestJson(running.url, method, where, { token, body });
  const notify = (content: JsonObject, more: JsonObject = {}, txnId?: string): Promise<TestResponse> => {
    const body = { user_id: alice.userId, content: { msgtype: 'm.text', ...content }, ...more };
    return txnId === undefined
      ? send('POST', path, admin.token, body)
      : send('PUT', `${path}/${txnId}`, admin.token, body);
  };
  const invites = async (): Promise<[string, { type: string; sender: string; content: JsonObject }[]][]> => {
    const { rooms } = await succeeded(alice.get('/sync'));
    const invited = (rooms as { invite?: Record<string, { invite_state: { events: never[] } }> } | undefined)?.invite;
    return Object.entries(invited ?? {}).map(([roomId, { invite_state: state }]) => [roomId, state.events]);
  };
  return { admin, alice, send, notify, invites };
}

describe('server notices (SQLite)', () => {
  noticesOf(() => startLoopbackServer({ config }));
});
onPostgres('server notices (PostgreSQL)', (engine) => {
  noticesOf(async () => {
    const options = await engine.freshOptions();
    if (options.engine !== 'postgres') throw new Error('not PostgreSQL');
    return startLoopbackServer({ config, postgresUrl: options.url });
  });
});
