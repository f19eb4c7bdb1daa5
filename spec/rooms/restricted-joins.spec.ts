import { expect, it } from 'vitest';
import { verifyEventSignatures } from '../../src/matrix/crypto/event-signatures.ts';
import { verifyKeyOf } from '../../src/matrix/crypto/ed25519.ts';
import type { RoomId, UserId } from '../../src/matrix/ids/ids.ts';
import type { JsonObject, JsonValue } from '../../src/matrix/json/json-value.ts';
import type { RoomVersionId } from '../../src/matrix/room-versions/rules.ts';
import { describeOnBothEngines } from '../support/databases.ts';
import { testPorts } from '../support/test-ports.ts';
import { TestRooms, type TestUser } from '../support/test-rooms.ts';
import { WatchedDatabase } from '../support/watched-database.ts';

describeOnBothEngines('joins of restricted rooms', (engine) => {
  const start = async (roomVersion: RoomVersionId = '12', joinRule = 'restricted') => {
    const db = new WatchedDatabase(await engine.open());
    const test = new TestRooms(db, testPorts(1), { serverNames: ['test', 'other'] });
    const [alice, bob] = [await test.user('alice'), await test.user('bob')];
    const space = await test.createRoom(alice, { preset: 'public_chat', creationContent: { type: 'm.space' } });
    const restrict = (allow: JsonValue, more: Parameters<TestRooms['createRoom']>[1] = {}) =>
      test.createRoom(alice, {
        preset: 'private_chat',
        roomVersion,
        initialState: [{ type: 'm.room.join_rules', stateKey: '', content: { join_rule: joinRule, allow } }],
        ...more,
      });
    const membersOf = (roomId: string) => ({ type: 'm.room_membership', room_id: roomId, via: ['test'] });
    const memberContent = async (roomId: RoomId, user: TestUser): Promise<JsonObject | undefined> =>
      (await test.state(alice, roomId)).find((event) => event.state_key === user.userId)?.content;
    return { db, test, alice, bob, space, restrict, membersOf, memberContent };
  };
  const forbidden = { status: 403, errcode: 'M_FORBIDDEN' };
  const via = 'join_authorised_via_users_server';

  it.each<[RoomVersionId, string]>([
    ['8', 'restricted'],
    ['9', 'restricted'],
    ['10', 'knock_restricted'],
    ['12', 'restricted'],
    ['12', 'knock_restricted'],
  ])('lets in members of the space (version %s, %s)', async (version, joinRule) => {
    const { test, alice, bob, space, restrict, membersOf, memberContent } = await start(version, joinRule);
    const roomId = await restrict([membersOf(space)]);
    await expect(test.rooms.joinRoom(bob, { roomId })).rejects.toMatchObject(forbidden);
    await test.rooms.joinRoom(bob, { roomId: space });
    await test.rooms.joinRoom(bob, { roomId, reason: 'hello' });
    const content = { membership: 'join', displayname: 'bob', reason: 'hello', [via]: alice.userId };
    expect(await memberContent(roomId, bob)).toEqual(content);
    // Being in the space is asked for when joining, and only then.
    await test.rooms.leaveRoom(bob, { roomId: space });
    await test.rooms.joinRoom(bob, { roomId, reason: 'hello' });
    expect(await memberContent(roomId, bob)).toEqual(content);
    await test.rooms.profileChanged(bob.userId, { displayname: 'Bob' });
    expect(await memberContent(roomId, bob)).toEqual({ membership: 'join', displayname: 'Bob', reason: 'hello' });
    await test.rooms.leaveRoom(bob, { roomId });
    await expect(test.rooms.joinRoom(bob, { roomId })).rejects.toMatchObject(forbidden);
  });

  it('lets in whoever is invited, without conditions', async () => {
    const { test, alice, bob, restrict, memberContent } = await start();
    const roomId = await restrict([]);
    await test.rooms.inviteUser(alice, { roomId, target: bob.userId });
    await test.rooms.joinRoom(bob, { roomId });
    expect(await memberContent(roomId, bob)).toEqual({ membership: 'join', displayname: 'bob' });
  });

  it('ignores what is no condition that it knows', async () => {
    const { test, alice, bob, space, restrict, membersOf } = await start();
    await test.rooms.joinRoom(bob, { roomId: space });
    for (const allow of [
      'invalid',
      null,
      [],
      ['invalid', null, 7, [], {}],
      [{ type: 'm.room_membership' }, { type: 'm.room_membership', room_id: 7 }],
      [{ ...membersOf(space), type: 'org.example.paid' }, { room_id: space }],
    ]) {
      const roomId = await restrict(allow);
      await expect(test.rooms.joinRoom(bob, { roomId })).rejects.toMatchObject(forbidden);
    }
    const elsewhere = membersOf('!nowhere:test');
    const roomId = await restrict(['invalid', { type: 'org.example.paid' }, elsewhere, membersOf(space)]);
    await test.rooms.joinRoom(bob, { roomId });
    await test.rooms.banUser(alice, { roomId, target: bob.userId });
    await expect(test.rooms.joinRoom(bob, { roomId })).rejects.toMatchObject(forbidden);
  });

  it('tells a condition that fails from one that nobody here can check', async () => {
    const { test, bob, space, restrict, membersOf } = await start();
    const unknown = await restrict([membersOf('!nowhere:test')]);
    const unable = { status: 400, errcode: 'M_UNABLE_TO_AUTHORISE_JOIN' };
    await expect(test.rooms.joinRoom(bob, { roomId: unknown })).rejects.toMatchObject(unable);
    const both = await restrict([membersOf('!nowhere:test'), membersOf(space)]);
    await expect(test.rooms.joinRoom(bob, { roomId: both })).rejects.toMatchObject(forbidden);
  });

  it('has nobody to let in when whoever may invite has gone', async () => {
    const { test, alice, bob, space, restrict, membersOf } = await start('11');
    const roomId = await restrict([membersOf(space)], { powerLevelContentOverride: { invite: 50 } });
    const carol = await test.user('carol');
    await test.rooms.inviteUser(alice, { roomId, target: carol.userId });
    await test.rooms.joinRoom(carol, { roomId });
    await test.rooms.joinRoom(bob, { roomId: space });
    await test.rooms.leaveRoom(alice, { roomId });
    const unable = { status: 400, errcode: 'M_UNABLE_TO_GRANT_JOIN' };
    await expect(test.rooms.joinRoom(bob, { roomId })).rejects.toMatchObject(unable);
  });

  it.each<[RoomVersionId]>([['8'], ['12']])(
    'finds any member where everybody may invite (version %s)',
    async (version) => {
      const { test, alice, bob, space, restrict, membersOf } = await start(version);
      const [carol, dave] = [await test.user('carol'), await test.user('dave')];
      const users: Record<string, JsonValue> = { [carol.userId]: -1 };
      if (version === '8') users[alice.userId] = 100;
      const roomId = await restrict([membersOf(space)], { powerLevelContentOverride: { users } });
      for (const user of [carol, dave]) {
        await test.rooms.inviteUser(alice, { roomId, target: user.userId });
        await test.rooms.joinRoom(user, { roomId });
      }
      await test.rooms.joinRoom(bob, { roomId: space });
      await test.rooms.leaveRoom(alice, { roomId });
      await test.rooms.joinRoom(bob, { roomId });
      const content = await test.rooms.stateEvent(bob, roomId, 'm.room.member', bob.userId, 'content');
      expect(content).toEqual({ membership: 'join', displayname: 'bob', [via]: dave.userId });
    },
  );

  it('is signed by the server of the member who lets them in', async () => {
    const { test, alice, space, restrict, membersOf } = await start();
    const roomId = await restrict([membersOf(space)]);
    const guest = await test.user('guest', 'other');
    await test.rooms.joinRoom(guest, { roomId: space });
    await test.rooms.joinRoom(guest, { roomId });
    const join = (await test.state(guest, roomId)).find((event) => event.state_key === guest.userId);
    if (join === undefined) throw new Error('the join is in the state');
    const { pdu } = await test.storedEvent(join.event_id);
    expect(Object.keys(pdu['signatures'] as JsonObject).toSorted()).toEqual(['other', 'test']);
    expect((pdu['content'] as JsonObject)[via]).toBe(alice.userId);
    const { rules } = await test.ctx.dags.open(roomId);
    const keyOf = (serverName: string) => verifyKeyOf(test.ctx.localServers.signingKeyOf(serverName));
    expect(verifyEventSignatures(pdu, rules, keyOf)).toEqual({ ok: true });
  });

  it('asks for the conditions however the join is sent, and believes no client who names a member', async () => {
    const { test, alice, bob, space, restrict, membersOf, memberContent } = await start();
    const roomId = await restrict([membersOf(space)]);
    const join = (content: JsonObject) => test.setState(bob, roomId, 'm.room.member', content, bob.userId);
    for (const authorisedBy of [alice.userId, bob.userId, 'unused', 7])
      await expect(join({ membership: 'join', [via]: authorisedBy })).rejects.toMatchObject(forbidden);
    await test.rooms.joinRoom(bob, { roomId: space });
    const joined = await join({ membership: 'join', [via]: 'unused' });
    expect(await memberContent(roomId, bob)).toEqual({ membership: 'join', [via]: alice.userId });
    expect(await join({ membership: 'join', [via]: 'unused' })).toBe(joined);
    await join({ membership: 'join', displayname: 'Bobby', [via]: 'unused' });
    expect(await memberContent(roomId, bob)).toEqual({ membership: 'join', displayname: 'Bobby' });
  });

  it('costs no more reads in a room with many members', async () => {
    const { db, test, alice, space, restrict, membersOf } = await start();
    const roomId = await restrict([membersOf(space)]);
    const costs: number[] = [];
    for (let i = 0; i < 24; i++) {
      const user = await test.user(`user${i}`);
      await test.rooms.joinRoom(user, { roomId: space });
      const before = db.reads.length;
      await test.rooms.joinRoom(user, { roomId });
      costs.push(db.reads.length - before);
    }
    expect(costs.at(-1)).toBeLessThanOrEqual(costs[1] ?? 0);
    const target = '@user23:test' as UserId;
    expect(await test.rooms.stateEvent(alice, roomId, 'm.room.member', target, 'content')).toMatchObject({
      [via]: alice.userId,
    });
  });
});
