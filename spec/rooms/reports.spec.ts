import { expect, it } from 'vitest';
import type { EventId, RoomId } from '../../src/matrix/ids/ids.ts';
import { reportsAfter } from '../../src/storage/stores/report-store.ts';
import { describeOnBothEngines } from '../support/databases.ts';
import { testPorts } from '../support/test-ports.ts';
import { TestRooms, type TestUser } from '../support/test-rooms.ts';

const missing = { status: 404, errcode: 'M_NOT_FOUND' };

describeOnBothEngines('reports of rooms and events', (engine) => {
  const start = async () => {
    const db = await engine.open();
    const ports = testPorts(1);
    const test = new TestRooms(db, ports);
    const [alice, bob, carol] = [await test.user('alice'), await test.user('bob'), await test.user('carol')];
    const roomId = await test.createRoom(alice);
    const { room } = await test.ctx.dags.open(roomId);
    await test.rooms.joinRoom(bob, { roomId });
    const reports = () => db.all(reportsAfter, { after: 0, limit: 10 });
    const reportEvent = (user: TestUser, eventId: EventId, more: { reason?: string; score?: number } = {}) =>
      test.rooms.reportEvent(user, roomId, { eventId, reason: more.reason, score: more.score });
    return { ports, test, alice, bob, carol, roomId, room, reports, reportEvent };
  };

  it('keeps who reported what, when and why', async () => {
    const { ports, test, alice, bob, carol, roomId, room, reports, reportEvent } = await start();
    const eventId = await test.say(alice, roomId, 'offensive');
    await reportEvent(bob, eventId, { reason: 'rude', score: -50 });
    await reportEvent(bob, eventId);
    await test.rooms.reportRoom(carol, roomId, '');
    const common = { room, event_id: null, target_user: null, reason: null, score: null, ts: ports.clock.nowMs() };
    expect(await reports()).toEqual([
      { ...common, report: expect.any(Number), user_nid: bob.userNid, event_id: eventId, reason: 'rude', score: -50 },
      { ...common, report: expect.any(Number), user_nid: bob.userNid, event_id: eventId },
      { ...common, report: expect.any(Number), user_nid: carol.userNid, reason: '' },
    ]);
  });

  it('takes reports of events from members who may see them, also of people they ignore', async () => {
    const { test, alice, bob, carol, roomId, reports, reportEvent } = await start();
    const eventId = await test.say(alice, roomId, 'one');
    await expect(reportEvent(carol, eventId)).rejects.toMatchObject(missing);
    await test.setState(alice, roomId, 'm.room.history_visibility', { history_visibility: 'joined' });
    const hidden = await test.say(alice, roomId, 'before carol');
    await test.rooms.joinRoom(carol, { roomId });
    await expect(reportEvent(carol, hidden)).rejects.toMatchObject(missing);
    await reportEvent(carol, eventId);
    await test.setAccountData(carol, 'm.ignored_user_list', { ignored_users: { [alice.userId]: {} } });
    await reportEvent(carol, await test.say(alice, roomId, 'two'));
    await test.rooms.leaveRoom(bob, { roomId });
    await expect(reportEvent(bob, eventId)).rejects.toMatchObject(missing);
    const other = await test.say(carol, await test.createRoom(carol), 'elsewhere');
    await expect(reportEvent(carol, other)).rejects.toMatchObject(missing);
    await expect(reportEvent(carol, '$unknown' as EventId)).rejects.toMatchObject(missing);
    expect(await reports()).toHaveLength(2);
  });

  it('refuses rooms that nobody here knows', async () => {
    const { test, alice, reports } = await start();
    await expect(test.rooms.reportRoom(alice, '!unknown:test' as RoomId, 'x')).rejects.toMatchObject(missing);
    expect(await reports()).toEqual([]);
  });
});
