/** Whole servers, over HTTP with signatures. */
import { expect, it } from 'vitest';
import type { JsonObject, JsonValue } from '../../../src/matrix/json/json-value.ts';
import { describeOnBothEngines } from '../../support/databases.ts';
import { type FederatedServers, startFederatedServers } from '../../support/federated-servers.ts';
import type { TestClient } from '../../support/test-client.ts';

describeOnBothEngines('memberships across servers', (engine) => {
  const run = async (work: (servers: FederatedServers) => Promise<void>): Promise<void> => {
    const servers = await startFederatedServers(['one.test', 'two.test'], { engine });
    try {
      await work(servers);
    } finally {
      await servers.close();
    }
  };
  const invitedTo = async (who: TestClient, roomId: string): Promise<JsonValue | undefined> => {
    const { json } = await who.get('/sync', { timeout: '0' });
    return ((json['rooms'] as JsonObject)?.['invite'] as JsonObject | undefined)?.[roomId];
  };
  const membership = async (who: TestClient, roomId: string, of: TestClient): Promise<JsonValue | undefined> =>
    (await who.get(`/rooms/${roomId}/state/m.room.member/${of.userId}`)).json['membership'];

  it('join a public room by its id and by its alias', () =>
    run(async (servers) => {
      const [alice, bob] = [await servers.register('one.test', 'alice'), await servers.register('two.test', 'bob')];
      const roomId = await alice.createRoom({ preset: 'public_chat', name: 'Hall', room_alias_name: 'hall' });
      const alias = encodeURIComponent('#hall:one.test');
      expect(await bob.post(`/join/${alias}`)).toMatchObject({ status: 200, json: { room_id: roomId } });
      expect(await membership(alice, roomId, bob)).toBe('join');
      expect(await membership(bob, roomId, alice)).toBe('join');
      expect((await bob.get(`/rooms/${roomId}/state/m.room.name`)).json).toEqual({ name: 'Hall' });
      const carol = await servers.register('two.test', 'carol');
      expect((await carol.post(`/join/${roomId}?via=one.test`)).status).toBe(200);
    }));

  it('invite, and the invited accepts or rejects', () =>
    run(async (servers) => {
      const [alice, bob] = [await servers.register('one.test', 'alice'), await servers.register('two.test', 'bob')];
      const roomId = await alice.createRoom({ preset: 'private_chat', name: 'Study', invite: [bob.userId] });
      const shown = (await invitedTo(bob, roomId)) as { invite_state: { events: JsonObject[] } };
      expect(shown.invite_state.events.map(({ type }) => type)).toEqual(
        expect.arrayContaining(['m.room.create', 'm.room.name', 'm.room.join_rules', 'm.room.member']),
      );
      expect((await bob.post(`/rooms/${roomId}/leave`)).status).toBe(200);
      expect(await invitedTo(bob, roomId)).toBeUndefined();
      expect(await membership(alice, roomId, bob)).toBe('leave');
      expect((await alice.post(`/rooms/${roomId}/invite`, { user_id: bob.userId })).status).toBe(200);
      // The id of the room names no server: the invite does.
      expect(await bob.post(`/rooms/${roomId}/join`)).toMatchObject({ status: 200 });
      expect(await membership(alice, roomId, bob)).toBe('join');
    }));

  it('rejects an invite although the inviting server is gone', () =>
    run(async (servers) => {
      const [alice, bob] = [await servers.register('one.test', 'alice'), await servers.register('two.test', 'bob')];
      const roomId = await alice.createRoom({ preset: 'private_chat', invite: [bob.userId] });
      servers.cut('one.test', 'two.test');
      expect((await bob.post(`/rooms/${roomId}/leave`)).status).toBe(200);
      expect(await invitedTo(bob, roomId)).toBeUndefined();
      expect((await bob.post(`/rooms/${roomId}/forget`)).status).toBe(200);
    }));

  it('take an invite back', () =>
    run(async (servers) => {
      const [alice, bob] = [await servers.register('one.test', 'alice'), await servers.register('two.test', 'bob')];
      const roomId = await alice.createRoom({ preset: 'private_chat', invite: [bob.userId] });
      expect(await invitedTo(bob, roomId)).toBeDefined();
      expect((await alice.post(`/rooms/${roomId}/kick`, { user_id: bob.userId })).status).toBe(200);
      await expect.poll(() => invitedTo(bob, roomId), { timeout: 60_000 }).toBeUndefined();
      const filter = JSON.stringify({ room: { include_leave: true } });
      const { json } = await bob.get('/sync', { timeout: '0', filter });
      const left = ((json['rooms'] as JsonObject)['leave'] as JsonObject)[roomId];
      expect(left).toMatchObject({
        timeline: { events: [{ sender: alice.userId, state_key: bob.userId, content: { membership: 'leave' } }] },
      });
    }));

  it('knock, take the knock back, knock again and are let in', () =>
    run(async (servers) => {
      const [alice, bob] = [await servers.register('one.test', 'alice'), await servers.register('two.test', 'bob')];
      const knocking = { type: 'm.room.join_rules', state_key: '', content: { join_rule: 'knock' } };
      const roomId = await alice.createRoom({ preset: 'private_chat', name: 'Door', initial_state: [knocking] });
      const knock = () => bob.post(`/knock/${roomId}?server_name=one.test`, { reason: 'please' });
      expect((await knock()).status).toBe(200);
      expect(await membership(alice, roomId, bob)).toBe('knock');
      const { json } = await bob.get('/sync', { timeout: '0' });
      const shown = (json['rooms'] as JsonObject)['knock'] as JsonObject;
      expect(JSON.stringify(shown[roomId])).toContain('Door');
      expect((await bob.post(`/rooms/${roomId}/leave`)).status).toBe(200);
      expect(await membership(alice, roomId, bob)).toBe('leave');
      expect((await knock()).status).toBe(200);
      expect((await alice.post(`/rooms/${roomId}/invite`, { user_id: bob.userId })).status).toBe(200);
      expect((await knock()).status).toBe(403);
      expect((await bob.post(`/rooms/${roomId}/join`)).status).toBe(200);
    }));

  it('tell the inviter what the invited server says', () =>
    run(async (servers) => {
      const alice = await servers.register('one.test', 'alice');
      const roomId = await alice.createRoom({ preset: 'private_chat' });
      const invite = (userId: string) => alice.post(`/rooms/${roomId}/invite`, { user_id: userId });
      expect(await invite('@nobody:two.test')).toMatchObject({ status: 404, json: { errcode: 'M_NOT_FOUND' } });
      servers.cut('one.test', 'two.test');
      expect(await invite('@nobody:two.test')).toMatchObject({ status: 502 });
    }));

  it('let members of another room into a restricted one', () =>
    run(async (servers) => {
      const [alice, bob] = [await servers.register('one.test', 'alice'), await servers.register('two.test', 'bob')];
      const lobby = await alice.createRoom({ preset: 'public_chat' });
      const allow = [{ type: 'm.room_membership', room_id: lobby }];
      const rule = { type: 'm.room.join_rules', state_key: '', content: { join_rule: 'restricted', allow } };
      const roomId = await alice.createRoom({ preset: 'private_chat', initial_state: [rule] });
      expect(await bob.post(`/join/${roomId}?via=one.test`)).toMatchObject({ status: 403 });
      expect((await bob.post(`/join/${lobby}?via=one.test`)).status).toBe(200);
      expect(await bob.post(`/join/${roomId}?via=one.test`)).toMatchObject({ status: 200 });
      expect(await membership(alice, roomId, bob)).toBe('join');
    }));

  it('are not let in by a server that no longer knows whether they are in the other room', () =>
    run(async (servers) => {
      const [alice, bob] = [await servers.register('one.test', 'alice'), await servers.register('two.test', 'bob')];
      const lobby = await alice.createRoom({ preset: 'public_chat' });
      const allow = [{ type: 'm.room_membership', room_id: lobby }];
      const rule = { type: 'm.room.join_rules', state_key: '', content: { join_rule: 'restricted', allow } };
      const roomId = await alice.createRoom({ preset: 'private_chat', initial_state: [rule] });
      expect((await bob.post(`/join/${lobby}?via=one.test`)).status).toBe(200);
      expect((await alice.post(`/rooms/${lobby}/leave`)).status).toBe(200);
      expect(await bob.post(`/join/${roomId}?via=one.test`)).toMatchObject({
        status: 400,
        json: { errcode: 'M_UNABLE_TO_AUTHORISE_JOIN' },
      });
    }));
});
