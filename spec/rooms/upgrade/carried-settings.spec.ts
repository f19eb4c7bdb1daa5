import { expect, it } from 'vitest';
import { findAccountData } from '../../../src/accounts/account-data.ts';
import { loadPushRules } from '../../../src/accounts/push-rules.ts';
import type { RoomId } from '../../../src/matrix/ids/ids.ts';
import { addPushRule, setPushRuleEnabled } from '../../../src/matrix/push-rules/edit-push-rules.ts';
import { UnitFailed } from '../../../src/storage/database.ts';
import { describeOnBothEngines } from '../../support/databases.ts';
import { testPorts } from '../../support/test-ports.ts';
import { TestRooms, type TestUser } from '../../support/test-rooms.ts';
import { WatchedDatabase } from '../../support/watched-database.ts';

describeOnBothEngines('settings for a room that is replaced', (engine) => {
  const start = async () => {
    const db = new WatchedDatabase(await engine.open());
    const test = new TestRooms(db, testPorts(1));
    const [alice, bob] = [await test.user('alice'), await test.user('bob')];
    const { rooms } = test;
    const roomId = await test.createRoom(alice);
    await rooms.joinRoom(bob, { roomId });
    const upgrade = () => rooms.upgradeRoom(alice, { roomId, rules: rooms.roomVersion('12'), additionalCreators: [] });
    /** Mutes the room, favours it, and calls it a direct chat. */
    const settle = async (user: TestUser) => {
      await test.editPushRules(user, (rules) => addPushRule(rules, 'room', roomId, { actions: [] }));
      await test.editPushRules(user, (rules, defaults) =>
        setPushRuleEnabled(
          addPushRule(rules, 'override', roomId, {
            actions: [],
            conditions: [{ kind: 'event_match', key: 'room_id', pattern: roomId }],
          }),
          defaults,
          'override',
          roomId,
          false,
        ),
      );
      await test.setAccountData(user, 'm.tag', { tags: { 'm.favourite': { order: 0.5 }, 'u.work': {} } }, roomId);
      await test.setAccountData(user, 'm.direct', { '@x:test': [roomId, '!a:test'], '@y:test': ['!a:test'], odd: 7 });
    };
    const settingsOf = async (user: TestUser, room: RoomId) => {
      const { ruleset } = await loadPushRules({ db }, user);
      const ofRoom = { db };
      return {
        muted: ruleset.room.some((rule) => rule.rule_id === room),
        override: ruleset.override.find((rule) => rule.rule_id === room),
        tags: (await findAccountData(ofRoom, { ...user, roomId: room, type: 'm.tag' }))?.['tags'],
        direct: await findAccountData(ofRoom, { ...user, roomId: undefined, type: 'm.direct' }),
      };
    };
    const carried = (room: RoomId) => ({
      muted: true,
      override: {
        rule_id: room,
        default: false,
        enabled: false,
        actions: [],
        conditions: [{ kind: 'event_match', key: 'room_id', pattern: room }],
      },
      tags: { 'm.favourite': { order: 0.5 }, 'u.work': {} },
      direct: { '@x:test': [roomId, '!a:test', room], '@y:test': ['!a:test'], odd: 7 },
    });
    const none = { muted: false, override: undefined, tags: undefined };
    return { db, test, rooms, alice, bob, roomId, upgrade, settle, settingsOf, carried, none };
  };

  it('are there in the new one for who upgrades it, and for others when they join', async () => {
    const { test, rooms, alice, bob, roomId, upgrade, settle, settingsOf, carried, none } = await start();
    await settle(alice);
    await settle(bob);
    const { next_batch: since } = await test.syncOnce(bob);
    const upgraded = await upgrade();
    expect(await settingsOf(alice, upgraded)).toEqual(carried(upgraded));
    expect(await settingsOf(bob, upgraded)).toMatchObject(none);
    await rooms.joinRoom(bob, { roomId: upgraded });
    expect(await settingsOf(bob, upgraded)).toEqual(carried(upgraded));
    expect((await settingsOf(bob, roomId)).muted).toBe(true);
    const told = await test.syncOnce(bob, since);
    expect(told.account_data?.events.map((event) => event.type).toSorted()).toEqual(['m.direct', 'm.push_rules']);
    expect(told.rooms?.join?.[upgraded]?.account_data.events).toEqual([
      { type: 'm.tag', content: { tags: carried(upgraded).tags } },
    ]);
  });

  it('are there when people replace a room by hand', async () => {
    const { test, rooms, alice, bob, roomId, settle, settingsOf, carried } = await start();
    await settle(alice);
    await settle(bob);
    const made = await test.createRoom(alice, { creationContent: { predecessor: { room_id: roomId } } });
    await test.setState(alice, roomId, 'm.room.tombstone', { body: 'moved', replacement_room: made });
    await rooms.joinRoom(bob, { roomId: made });
    for (const user of [alice, bob]) expect(await settingsOf(user, made)).toEqual(carried(made));
  });

  it('stay where they are when only the new room says that it replaces theirs, or they never were there', async () => {
    const { test, rooms, alice, bob, roomId, upgrade, settle, settingsOf, none } = await start();
    await settle(bob);
    const [mallory, carol] = [await test.user('mallory'), await test.user('carol')];
    const claimed = await test.createRoom(mallory, { creationContent: { predecessor: { room_id: roomId } } });
    await rooms.joinRoom(bob, { roomId: claimed });
    expect(await settingsOf(bob, claimed)).toMatchObject(none);
    for (const predecessor of [7, {}, { room_id: '!nowhere:test' }, { room_id: 7 }]) {
      const odd = await test.createRoom(alice, { creationContent: { predecessor } });
      await rooms.joinRoom(bob, { roomId: odd });
    }
    await settle(carol);
    const upgraded = await upgrade();
    await rooms.joinRoom(carol, { roomId: upgraded });
    expect(await settingsOf(carol, upgraded)).toMatchObject(none);
  });

  it('come with the join or not at all, once, and beside what is set meanwhile', async () => {
    const { db, test, rooms, bob, roomId, upgrade, settle, settingsOf, carried, none } = await start();
    await settle(bob);
    const upgraded = await upgrade();
    db.failNextWrite();
    await expect(rooms.joinRoom(bob, { roomId: upgraded })).rejects.toThrow(UnitFailed);
    expect(await settingsOf(bob, upgraded)).toMatchObject(none);
    const held = db.holdNext('accountData.find');
    const joined = rooms.joinRoom(bob, { roomId: upgraded });
    await held.reached;
    const set = test.setAccountData(bob, 'm.tag', { tags: { 'u.new': {} } }, upgraded);
    held.release();
    await Promise.all([joined, set]);
    // What was asked for later is what stays.
    expect((await settingsOf(bob, upgraded)).tags).toEqual({ 'u.new': {} });
    await test.setState(bob, upgraded, 'm.room.member', { membership: 'join', displayname: 'Bob' }, bob.userId);
    expect((await settingsOf(bob, upgraded)).tags).toEqual({ 'u.new': {} });
    expect((await settingsOf(bob, upgraded)).direct).toEqual(carried(upgraded).direct);
    await rooms.leaveRoom(bob, { roomId: upgraded });
    await rooms.joinRoom(bob, { roomId: upgraded });
    expect((await settingsOf(bob, upgraded)).tags).toEqual({ ...carried(upgraded).tags, 'u.new': {} });
    expect((await settingsOf(bob, upgraded)).direct?.['@x:test']).toEqual([roomId, '!a:test', upgraded]);
  });
});
