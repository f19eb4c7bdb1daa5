import { expect, it } from 'vitest';
import type { RoomId } from '../../../src/matrix/ids/ids.ts';
import type { JsonObject } from '../../../src/matrix/json/json-value.ts';
import type { HierarchyRequest } from '../../../src/rooms/hierarchy/space-hierarchy.ts';
import { describeOnBothEngines } from '../../support/databases.ts';
import { testPorts } from '../../support/test-ports.ts';
import { TestRooms, type TestUser } from '../../support/test-rooms.ts';
import { WatchedDatabase } from '../../support/watched-database.ts';

describeOnBothEngines('the hierarchy of a space', (engine) => {
  const start = async () => {
    const db = new WatchedDatabase(await engine.open());
    const test = new TestRooms(db, testPorts(1));
    const [alice, bob] = [await test.user('alice'), await test.user('bob')];
    const room = (name: string, more: Parameters<TestRooms['createRoom']>[1] = {}) =>
      test.createRoom(alice, { name, ...more });
    const space = (name: string, more: Parameters<TestRooms['createRoom']>[1] = {}) =>
      room(name, { creationContent: { type: 'm.space' }, ...more });
    const link = (parent: RoomId, child: RoomId | string, content: JsonObject = {}) =>
      test.setState(alice, parent, 'm.space.child', { via: ['test'], ...content }, child);
    const ask = (user: TestUser, roomId: RoomId, request: Partial<HierarchyRequest> = {}) =>
      test.rooms.spaceHierarchy(user, roomId, { suggestedOnly: false, ...request });
    const names = async (user: TestUser, roomId: RoomId, request: Partial<HierarchyRequest> = {}) =>
      (await ask(user, roomId, request)).rooms.map(({ name }) => name);
    return { db, test, alice, bob, room, space, link, ask, names };
  };
  const forbidden = { status: 403, errcode: 'M_FORBIDDEN' };
  const invalid = { status: 400, errcode: 'M_INVALID_PARAM' };

  it('goes depth first, each room once, and ends where spaces contain each other', async () => {
    const { bob, room, space, link, names, ask, alice } = await start();
    const [top, left, right] = [await space('top'), await space('left'), await space('right')];
    const [a, b, c] = [await room('a'), await room('b'), await room('c')];
    await link(top, left, { order: '1' });
    await link(top, right, { order: '2' });
    await link(top, c, { order: '3' });
    await link(left, a, { order: '1' });
    await link(left, top, { order: '2' });
    await link(left, right, { order: '3' });
    await link(right, b, { order: '1' });
    await link(right, left, { order: '2' });
    await link(right, c, { order: '3' });
    expect(await names(bob, top)).toEqual(['top', 'left', 'a', 'right', 'b', 'c']);
    expect(await names(bob, top, { maxDepth: 0 })).toEqual(['top']);
    expect(await names(bob, top, { maxDepth: 1 })).toEqual(['top', 'left', 'right', 'c']);
    const { rooms } = await ask(bob, top, { maxDepth: 0 });
    expect(rooms[0]).toMatchObject({
      room_id: top,
      room_type: 'm.space',
      room_version: '12',
      num_joined_members: 1,
      children_state: [{ state_key: left }, { state_key: right }, { state_key: c }],
    });
    expect(rooms[0]?.children_state[0]).toEqual({
      type: 'm.space.child',
      state_key: left,
      sender: alice.userId,
      content: { via: ['test'], order: '1' },
      origin_server_ts: expect.any(Number) as number,
    });
  });

  it('looks into spaces only, and at children that are valid and still there', async () => {
    const { test, alice, room, space, link, names } = await start();
    const [top, plain, hidden, gone] = [
      await space('top'),
      await room('plain'),
      await room('hidden'),
      await room('gone'),
    ];
    await link(top, plain);
    await link(plain, hidden);
    await link(top, gone);
    await link(top, hidden, { via: 'test' });
    await link(top, '!nowhere');
    await link(top, 'no room');
    await test.setState(alice, top, 'm.space.child', {}, gone);
    expect(await names(alice, top)).toEqual(['top', 'plain']);
    expect(await names(alice, plain)).toEqual(['plain']);
  });

  it('shows only what is suggested when that is asked for', async () => {
    const { bob, room, space, link, ask, names } = await start();
    const [top, inner] = [await space('top'), await space('inner')];
    const [a, b, c] = [await room('a'), await room('b'), await room('c')];
    await link(top, inner, { suggested: true });
    await link(top, a);
    await link(inner, b, { suggested: true });
    await link(inner, c, { suggested: 'true' });
    expect(await names(bob, top, { suggestedOnly: true })).toEqual(['top', 'inner', 'b']);
    const { rooms } = await ask(bob, top, { suggestedOnly: true });
    expect(rooms[0]?.children_state).toHaveLength(1);
  });

  it('leaves out what the user may not be told of, and what lies behind it', async () => {
    const { test, alice, bob, room, space, link, names } = await start();
    const top = await space('top');
    const [secret, inSecret] = [await space('secret', { preset: 'private_chat' }), await room('in secret')];
    const member = (allowed: RoomId) => ({ type: 'm.room_membership', room_id: allowed });
    const restricted = (name: string, allow: JsonObject[], joinRule = 'restricted', roomVersion: '6' | '12' = '12') =>
      room(name, {
        preset: 'private_chat',
        roomVersion,
        initialState: [{ type: 'm.room.join_rules', stateKey: '', content: { join_rule: joinRule, allow } }],
      });
    const rule = (type: string, content: JsonObject) => ({ initialState: [{ type, stateKey: '', content }] });
    const [invited, banned] = [await room('invited', { preset: 'private_chat' }), await room('banned')];
    const readable = rule('m.room.history_visibility', { history_visibility: 'world_readable' });
    const children = [
      secret,
      await restricted('restricted', [member(top)]),
      await restricted('restricted otherwise', [member(secret)]),
      await restricted('restricted without a meaning', [member(top)], 'restricted', '6'),
      await restricted('knock restricted', [], 'knock_restricted'),
      await room('knock', { preset: 'private_chat', ...rule('m.room.join_rules', { join_rule: 'knock' }) }),
      await room('readable', { preset: 'private_chat', ...readable }),
      invited,
      banned,
    ];
    for (const [index, child] of children.entries()) await link(top, child, { order: String(index) });
    await link(secret, inSecret);
    await test.rooms.inviteUser(alice, { roomId: invited, target: bob.userId });
    await test.rooms.banUser(alice, { roomId: banned, target: bob.userId });
    expect(await names(bob, top)).toEqual(['top', 'knock restricted', 'knock', 'readable', 'invited']);
    await test.rooms.joinRoom(bob, { roomId: top });
    expect(await names(bob, top)).toEqual(['top', 'restricted', 'knock restricted', 'knock', 'readable', 'invited']);
    expect(await names(alice, top)).toHaveLength(children.length + 2);
    await expect(names(bob, secret)).rejects.toMatchObject(forbidden);
    await expect(names(bob, '!nowhere' as RoomId)).rejects.toMatchObject(forbidden);
  });

  it('pages: tokens lead on when rooms come and go, and belong to what was asked', async () => {
    const { test, alice, bob, room, space, link, ask } = await start();
    const [top, other] = [await space('top'), await space('other')];
    for (const name of ['a', 'b', 'c', 'd', 'e']) await link(top, await room(name), { order: name });
    const first = await ask(bob, top, { limit: 3, maxDepth: 4 });
    expect(first.rooms.map(({ name }) => name)).toEqual(['top', 'a', 'b']);
    const from = first.next_batch ?? '';
    expect(from).toMatch(/^[\w.~-]{1,255}$/);
    await link(top, await room('0'), { order: '0' });
    const second = await ask(bob, top, { limit: 3, maxDepth: 4, from });
    expect(second.rooms.map(({ name }) => name)).toEqual(['c', 'd', 'e']);
    expect(second).not.toHaveProperty('next_batch');
    await test.setState(alice, top, 'm.space.child', {}, first.rooms[2]?.room_id);
    // The room behind which the page begins is gone: rather one twice than one never.
    const again = await ask(bob, top, { maxDepth: 4, from });
    expect(again.rooms.map(({ name }) => name)).toEqual(['a', 'c', 'd', 'e']);
    for (const request of [{ maxDepth: 3 }, {}, { maxDepth: 4, suggestedOnly: true }])
      await expect(ask(bob, top, { ...request, from })).rejects.toMatchObject(invalid);
    await expect(ask(bob, other, { maxDepth: 4, from })).rejects.toMatchObject(invalid);
    await expect(ask(bob, top, { from: 'nonsense' })).rejects.toMatchObject(invalid);
  });

  it('has a next page when the rest of this one may not be seen', async () => {
    const { bob, room, space, link, ask } = await start();
    const top = await space('top');
    for (const name of ['a', 'b', 'c', 'd']) {
      const child = await room(name, { preset: name === 'd' ? 'public_chat' : 'private_chat' });
      await link(top, child, { order: name });
    }
    const first = await ask(bob, top, { limit: 2 });
    expect(first.rooms.map(({ name }) => name)).toEqual(['top', 'd']);
    expect(first).not.toHaveProperty('next_batch');
  });

  it('takes the same reads however many rooms and members there are', async () => {
    const { db, test, bob, room, space, link, ask } = await start();
    const top = await space('top');
    const readsOf = async () => {
      const from = db.reads.length;
      await ask(bob, top);
      return db.reads.slice(from);
    };
    await link(top, await room('a'));
    await test.rooms.joinRoom(await test.user('carol'), { roomId: top });
    await ask(bob, top);
    const few = await readsOf();
    for (let i = 0; i < 10; i++) {
      await link(top, await room(`${i}`));
      await test.rooms.joinRoom(await test.user(`member${i}`), { roomId: top });
    }
    await ask(bob, top);
    expect(await readsOf()).toEqual(few);
  });
});
