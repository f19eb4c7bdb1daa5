import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/matrix/json/json-value.ts';
import type { TestEngine } from '../../support/databases.ts';
import { describeOnBothEngines } from '../../support/databases.ts';
import { useLoopbackServer } from '../../support/loopback-server.ts';
import { refusal } from '../../support/test-accounts.ts';
import { TestClient, roomPath, succeeded } from '../../support/test-client.ts';
import { testPorts } from '../../support/test-ports.ts';
import { TestRooms } from '../../support/test-rooms.ts';
import { requestJson } from '../../support/test-server.ts';
import { InvitePermissions } from '../../../src/accounts/invite-permissions.ts';
import { setAccountData } from '../../../src/accounts/account-data.ts';
import { KeyedLock } from '../../../src/platform/keyed-lock.ts';
import type { UserId } from '../../../src/matrix/ids/ids.ts';

const blocking = 'm.invite_permission_config';
const filtering = 'org.matrix.msc4155.invite_permission_config';

describe('invites to somebody who does not want them', () => {
  const running = useLoopbackServer();

  const start = async () => {
    const [alice, bob] = [await TestClient.register(running, 'alice'), await TestClient.register(running, 'bob')];
    const roomId = await alice.createRoom({ preset: 'private_chat' });
    const wish = (type: string, content: JsonObject) =>
      succeeded(bob.put(`/user/${encodeURIComponent(bob.userId)}/account_data/${type}`, content));
    const invite = () => alice.post(`${roomPath(roomId)}/invite`, { user_id: bob.userId });
    const invites = async (): Promise<string[]> => {
      const { rooms } = await succeeded(bob.get('/sync'));
      return Object.keys((rooms as { invite?: JsonObject } | undefined)?.invite ?? {});
    };
    return { alice, bob, roomId, wish, invite, invites };
  };

  it.each([blocking, 'org.matrix.msc4380.invite_permission_config'])('are refused by %s', async (type) => {
    const { alice, bob, roomId, wish, invite, invites } = await start();
    await wish(type, { default_action: 'block' });
    const blocked = [403, 'M_INVITE_BLOCKED'];
    expect(refusal(await invite())).toEqual(blocked);
    const state = `${roomPath(roomId)}/state/m.room.member/${encodeURIComponent(bob.userId)}`;
    expect(refusal(await alice.put(state, { membership: 'invite' }))).toEqual(blocked);
    const before = await succeeded(alice.get('/joined_rooms'));
    expect(refusal(await alice.post('/createRoom', { invite: [bob.userId] }))).toEqual(blocked);
    expect(await succeeded(alice.get('/joined_rooms'))).toEqual(before);
    expect(await invites()).toEqual([]);
    // Other changes of the membership are none of it.
    await succeeded(alice.put(state, { membership: 'ban' }));
    await succeeded(alice.put(state, { membership: 'leave' }));
    await wish(type, {});
    await succeeded(invite());
    expect(await invites()).toEqual([roomId]);
  });

  it('are made without being told to who ignores them, until they are ignored no longer', async () => {
    const { alice, bob, roomId, wish, invite, invites } = await start();
    await wish(filtering, { ignored_users: [alice.userId] });
    const { next_batch: since } = await succeeded(bob.get('/sync'));
    await succeeded(invite());
    expect(await invites()).toEqual([]);
    const { rooms = {} } = await succeeded(bob.get('/sync', { since: String(since) }));
    expect(rooms).toEqual({});
    const member = await succeeded(alice.get(`${roomPath(roomId)}/state/m.room.member/${bob.userId}`));
    expect(member['membership']).toBe('invite');
    await wish(filtering, { blocked_users: [alice.userId] });
    expect(await invites()).toEqual([]);
    await wish(filtering, {});
    expect(await invites()).toEqual([roomId]);
  });

  it('are hidden when they were there before', async () => {
    const { roomId, wish, invite, invites } = await start();
    await succeeded(invite());
    expect(await invites()).toEqual([roomId]);
    await wish(blocking, { default_action: 'block' });
    expect(await invites()).toEqual([]);
  });

  it('are let through where a filter allows them, and /versions says that there are filters', async () => {
    const { alice, roomId, wish, invite, invites } = await start();
    await wish(filtering, { allowed_users: [alice.userId], blocked_servers: ['*'] });
    await succeeded(invite());
    expect(await invites()).toEqual([roomId]);
    const { json } = await requestJson(running.url, 'GET', '/_matrix/client/versions');
    expect(json['unstable_features']).toMatchObject({ 'org.matrix.msc4155': true, 'org.matrix.msc4380.stable': true });
  });
});

describeOnBothEngines('InvitePermissions', (engine: TestEngine) => {
  it('knows what was stored, and of a change at its commit', async () => {
    const db = await engine.open();
    const world = new TestRooms(db, testPorts(1));
    const bob = await world.user('bob');
    const notices = '@_server:test' as UserId;
    const permissions = new InvitePermissions(db, notices);
    const decision = async (inviter: string) => (await permissions.of(bob)).decide(inviter as UserId);
    const set = (type: string, content: JsonObject) =>
      setAccountData({ db, locks: new KeyedLock<number>() }, { ...bob, roomId: undefined, type }, content);
    expect(await decision('@eve:test')).toBe('allow');
    await set(blocking, { default_action: 'block' });
    expect([await decision('@eve:test'), await decision(notices)]).toEqual(['block', 'allow']);
    expect(await new InvitePermissions(db, notices).of(bob)).not.toBe(undefined);
    await set(blocking, {});
    await set(filtering, { ignored_servers: ['test'] });
    expect(await decision('@eve:test')).toBe('ignore');
    expect((await new InvitePermissions(db, notices).of(bob)).decide('@eve:test' as UserId)).toBe('ignore');
  });
});
