import { expect, it } from 'vitest';
import type { RoomAlias, RoomId } from '../../../src/matrix/ids/ids.ts';
import { UnitFailed } from '../../../src/storage/database.ts';
import { describeOnBothEngines } from '../../support/databases.ts';
import { testPorts } from '../../support/test-ports.ts';
import { TestRooms } from '../../support/test-rooms.ts';
import { WatchedDatabase } from '../../support/watched-database.ts';

const alias = (name: string, server = 'test') => `#${name}:${server}` as RoomAlias;
const canonical = 'm.room.canonical_alias';
const refused = (status: number, errcode: string) => ({ status, errcode });

describeOnBothEngines('room aliases', (engine) => {
  const start = async () => {
    const db = new WatchedDatabase(await engine.open());
    const test = new TestRooms(db, testPorts(1), { serverNames: ['test', 'other.test'] });
    const [alice, bob, carol] = [await test.user('alice'), await test.user('bob'), await test.user('carol')];
    const roomId = await test.createRoom(alice);
    await test.rooms.joinRoom(bob, { roomId });
    const canonicalAlias = async () =>
      (await test.state(alice, roomId)).find((event) => event.type === canonical)?.content;
    return { db, test, rooms: test.rooms, alice, bob, carol, roomId, canonicalAlias };
  };

  it('are made by members, lead to the room and are listed', async () => {
    const { rooms, test, alice, bob, roomId } = await start();
    const odd = alias('老虎Â£я🤨👉ඞ /?%');
    await rooms.setAlias(bob, alias('one'), roomId);
    await rooms.setAlias(alice, odd, roomId);
    expect(await rooms.resolveAlias(odd)).toEqual({ room_id: roomId, servers: ['test'] });
    expect(await rooms.localAliases(alice, roomId)).toEqual([alias('one'), odd]);
    const dora = await test.user('dora', 'other.test');
    await rooms.joinRoom(dora, { roomId: await rooms.resolveRoom(odd) });
    await rooms.setAlias(dora, alias('two', 'other.test'), roomId);
    expect(await rooms.resolveAlias(alias('one'))).toEqual({ room_id: roomId, servers: ['test', 'other.test'] });
    expect((await rooms.resolveAlias(alias('two', 'other.test'))).servers).toEqual(['other.test', 'test']);
  });

  it('are made by nobody else, once, and of our own names only', async () => {
    const { rooms, test, alice, bob, carol, roomId } = await start();
    const here = alias('here');
    await expect(rooms.setAlias(carol, here, roomId)).rejects.toMatchObject(refused(403, 'M_FORBIDDEN'));
    await expect(rooms.setAlias(alice, here, '!nowhere:test' as RoomId)).rejects.toMatchObject(
      refused(403, 'M_FORBIDDEN'),
    );
    const administrator = { ...carol, isAdmin: true };
    await expect(rooms.setAlias(administrator, here, '!nowhere:test' as RoomId)).rejects.toMatchObject(
      refused(404, 'M_NOT_FOUND'),
    );
    await expect(rooms.setAlias(alice, alias('x', 'example.org'), roomId)).rejects.toMatchObject(
      refused(403, 'M_FORBIDDEN'),
    );
    await expect(rooms.setAlias(alice, alias(''), roomId)).rejects.toMatchObject(refused(400, 'M_INVALID_PARAM'));
    await rooms.setAlias(administrator, here, roomId);
    const other = await test.createRoom(bob);
    for (const room of [roomId, other])
      await expect(rooms.setAlias(bob, here, room)).rejects.toMatchObject(refused(409, 'M_UNKNOWN'));
    expect((await rooms.resolveAlias(here)).room_id).toBe(roomId);
    await expect(rooms.resolveAlias(alias('there'))).rejects.toMatchObject(refused(404, 'M_NOT_FOUND'));
    await expect(rooms.resolveAlias(alias('x', 'example.org'))).rejects.toMatchObject(refused(404, 'M_NOT_FOUND'));
  });

  it('are removed by who made them, by who may set the canonical one, and by administrators', async () => {
    const { rooms, test, alice, bob, carol, roomId } = await start();
    const here = alias('here');
    await expect(rooms.deleteAlias(alice, here)).rejects.toMatchObject(refused(404, 'M_NOT_FOUND'));
    await expect(rooms.deleteAlias(alice, alias('x', 'example.org'))).rejects.toMatchObject(
      refused(403, 'M_FORBIDDEN'),
    );
    await rooms.setAlias(alice, here, roomId);
    for (const user of [bob, carol])
      await expect(rooms.deleteAlias(user, here)).rejects.toMatchObject(refused(403, 'M_FORBIDDEN'));
    await test.setState(alice, roomId, 'm.room.power_levels', { users: { [bob.userId]: 50 } });
    await rooms.deleteAlias(bob, here);
    await expect(rooms.resolveAlias(here)).rejects.toMatchObject(refused(404, 'M_NOT_FOUND'));
    await rooms.setAlias(alice, here, roomId);
    await rooms.deleteAlias({ ...carol, isAdmin: true }, here);
    await rooms.joinRoom(carol, { roomId });
    await rooms.setAlias(carol, here, roomId);
    await rooms.leaveRoom(carol, { roomId });
    await rooms.deleteAlias(carol, here);
    expect(await rooms.localAliases(alice, roomId)).toEqual([]);
  });

  it('are listed for members, and for everybody where everybody may read', async () => {
    const { rooms, test, alice, bob, carol, roomId } = await start();
    await rooms.setAlias(alice, alias('here'), roomId);
    await expect(rooms.localAliases(carol, roomId)).rejects.toMatchObject(refused(403, 'M_FORBIDDEN'));
    await rooms.leaveRoom(bob, { roomId });
    await expect(rooms.localAliases(bob, roomId)).rejects.toMatchObject(refused(403, 'M_FORBIDDEN'));
    expect(await rooms.localAliases({ ...carol, isAdmin: true }, roomId)).toEqual([alias('here')]);
    await test.setState(alice, roomId, 'm.room.history_visibility', { history_visibility: 'world_readable' });
    expect(await rooms.localAliases(carol, roomId)).toEqual([alias('here')]);
  });

  it('in m.room.canonical_alias must lead to the room, those that were there before apart', async () => {
    const { rooms, test, alice, roomId, canonicalAlias } = await start();
    await rooms.setAlias(alice, alias('one'), roomId);
    await rooms.setAlias(alice, alias('two'), roomId);
    const other = await test.createRoom(alice);
    await rooms.setAlias(alice, alias('elsewhere'), other);
    const set = (content: { alias?: string | null; alt_aliases?: string[] }) =>
      test.setState(alice, roomId, canonical, content);
    for (const wrong of [alias('elsewhere'), alias('nowhere'), alias('x', 'example.org')]) {
      await expect(set({ alias: wrong })).rejects.toMatchObject(refused(400, 'M_BAD_ALIAS'));
      await expect(set({ alias: alias('one'), alt_aliases: [alias('two'), wrong] })).rejects.toMatchObject(
        refused(400, 'M_BAD_ALIAS'),
      );
    }
    for (const wrong of ['%one:test', '#one', `#${'x'.repeat(255)}:test`, '#one\0:test'])
      await expect(set({ alt_aliases: [wrong] })).rejects.toMatchObject(refused(400, 'M_INVALID_PARAM'));
    await set({ alias: alias('one'), alt_aliases: [alias('two')] });
    // Who may not change the event takes only the alias away; it stays named until somebody with power changes that.
    await rooms.deleteAlias({ ...(await test.user('root')), isAdmin: true }, alias('two'));
    expect(await canonicalAlias()).toEqual({ alias: alias('one'), alt_aliases: [alias('two')] });
    await set({ alias: alias('two'), alt_aliases: [alias('one'), alias('two')] });
    await set({ alias: null });
    await expect(set({ alias: alias('two') })).rejects.toMatchObject(refused(400, 'M_BAD_ALIAS'));
  });

  it('leave the canonical alias event when they are removed, in the same unit', async () => {
    const { db, rooms, test, alice, roomId, canonicalAlias } = await start();
    for (const name of ['one', 'two', 'three']) await rooms.setAlias(alice, alias(name), roomId);
    await test.setState(alice, roomId, canonical, {
      alias: alias('one'),
      alt_aliases: [alias('two'), alias('three')],
      'org.example': 1,
    });
    await rooms.deleteAlias(alice, alias('two'));
    expect(await canonicalAlias()).toEqual({
      alias: alias('one'),
      alt_aliases: [alias('three')],
      'org.example': 1,
    });
    db.failNextWrite();
    await expect(rooms.deleteAlias(alice, alias('one'))).rejects.toThrow(UnitFailed);
    expect((await rooms.resolveAlias(alias('one'))).room_id).toBe(roomId);
    expect((await canonicalAlias())?.['alias']).toBe(alias('one'));
    await rooms.deleteAlias(alice, alias('one'));
    await rooms.deleteAlias(alice, alias('three'));
    expect(await canonicalAlias()).toEqual({ 'org.example': 1 });
  });

  it('come with the last event of a new room, or not at all', async () => {
    const { db, rooms, test, alice, bob, roomId } = await start();
    const here = alias('here');
    const refusedState = { alias: here, powerLevelContentOverride: { events_default: 'much' } };
    await expect(test.createRoom(alice, refusedState)).rejects.toMatchObject(refused(400, 'M_INVALID_ROOM_STATE'));
    await expect(rooms.resolveAlias(here)).rejects.toMatchObject(refused(404, 'M_NOT_FOUND'));
    await expect(
      test.createRoom(alice, {
        initialState: [{ type: canonical, stateKey: '', content: { alias: alias('nowhere') } }],
      }),
    ).rejects.toMatchObject(refused(400, 'M_BAD_ALIAS'));
    db.failNextWrite();
    await expect(test.createRoom(alice, { alias: here })).rejects.toThrow(UnitFailed);
    const made = await test.createRoom(alice, { alias: here });
    expect((await rooms.resolveAlias(here)).room_id).toBe(made);
    await expect(rooms.setAlias(bob, here, roomId)).rejects.toMatchObject(refused(409, 'M_UNKNOWN'));
    await rooms.setAlias(bob, alias('there'), roomId);
    await expect(test.createRoom(bob, { alias: alias('there') })).rejects.toMatchObject(refused(400, 'M_ROOM_IN_USE'));
  });

  it('go to one of many who ask at once', async () => {
    const { rooms, test, alice, bob, roomId } = await start();
    const here = alias('here');
    const outcomes = await Promise.allSettled([
      test.createRoom(alice, { alias: here }),
      rooms.setAlias(bob, here, roomId).then(() => roomId),
      test.createRoom(bob, { alias: here }),
      rooms.setAlias(alice, here, roomId).then(() => roomId),
    ]);
    const won = outcomes.filter((outcome) => outcome.status === 'fulfilled');
    expect(won.map((outcome) => outcome.value)).toEqual([(await rooms.resolveAlias(here)).room_id]);
    for (const outcome of outcomes)
      if (outcome.status === 'rejected')
        expect(['M_ROOM_IN_USE', 'M_UNKNOWN']).toContain((outcome.reason as { errcode?: string }).errcode);
  });
});
