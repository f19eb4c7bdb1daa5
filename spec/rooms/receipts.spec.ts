import { expect, it } from 'vitest';
import type { EventId } from '../../src/matrix/ids/ids.ts';
import { describeOnBothEngines } from '../support/databases.ts';
import { testPorts } from '../support/test-ports.ts';
import { TestRooms, type TestUser } from '../support/test-rooms.ts';
import { WatchedDatabase } from '../support/watched-database.ts';

describeOnBothEngines('receipts', (engine) => {
  const start = async () => {
    const db = new WatchedDatabase(await engine.open());
    const test = new TestRooms(db, testPorts(1));
    const [alice, bob] = [await test.user('alice'), await test.user('bob')];
    const roomId = await test.createRoom(alice);
    await test.rooms.joinRoom(bob, { roomId });
    const ids: EventId[] = [];
    for (let i = 0; i < 4; i++) ids.push(await test.say(alice, roomId, `m${i}`));
    const [one, two, three, four] = ids as [EventId, EventId, EventId, EventId];
    /** Where each of bob's receipts is, as somebody sees who comes in now. */
    const receipts = async (reader: TestUser = bob) => {
      const events = (await test.syncOnce(reader)).rooms?.join?.[roomId]?.ephemeral.events ?? [];
      return events.flatMap((event) =>
        Object.entries(event.content).flatMap(([eventId, types]) =>
          Object.entries(types as Record<string, Record<string, { thread_id?: string }>>).map(
            ([type, users]) => `${type} ${users[bob.userId]?.thread_id ?? ''} ${eventId}`,
          ),
        ),
      );
    };
    const unread = async () =>
      (await test.syncOnce(bob)).rooms?.join?.[roomId]?.unread_notifications.notification_count;
    const read = (type: 'm.read' | 'm.read.private', eventId: EventId, threadId?: string) =>
      test.rooms.setReceipt(bob, roomId, type, eventId, threadId);
    return { db, test, alice, bob, roomId, one, two, three, four, receipts, unread, read };
  };

  it('never go back, one of each kind and thread', async () => {
    const { one, two, three, receipts, read, unread } = await start();
    expect(await unread()).toBe(4);
    await read('m.read', two);
    expect(await unread()).toBe(2);
    await read('m.read', one);
    await read('m.read.private', one);
    expect(await unread()).toBe(2);
    await read('m.read.private', three);
    expect(await unread()).toBe(1);
    await read('m.read', two, 'main');
    expect(new Set(await receipts())).toEqual(
      new Set([`m.read  ${two}`, `m.read main ${two}`, `m.read.private  ${three}`]),
    );
  });

  it('never go back when the older one is handed in last', async () => {
    const { db, one, three, receipts, read } = await start();
    const held = db.holdNext('receipt.of');
    const older = read('m.read', one);
    await held.reached;
    await read('m.read', three);
    held.release();
    await older;
    expect(await receipts()).toEqual([`m.read  ${three}`]);
  });

  it('are nothing new when they stay where they are', async () => {
    const { test, bob, two, read } = await start();
    await read('m.read', two);
    const { next_batch: since } = await test.syncOnce(bob);
    await read('m.read', two);
    expect((await test.syncOnce(bob, since)).rooms).toBeUndefined();
  });

  it('come with the fully-read marker, all or nothing', async () => {
    const { test, bob, roomId, one, two, three, receipts } = await start();
    const { next_batch: since } = await test.syncOnce(bob);
    await test.rooms.setReadMarkers(bob, { roomId, fullyRead: three, read: two, readPrivate: one });
    const room = (await test.syncOnce(bob, since)).rooms?.join?.[roomId];
    expect(room?.account_data.events).toEqual([{ type: 'm.fully_read', content: { event_id: three } }]);
    expect(new Set(await receipts())).toEqual(new Set([`m.read  ${two}`, `m.read.private  ${one}`]));
    const nowhere = '$nowhere' as EventId;
    await expect(test.rooms.setReadMarkers(bob, { roomId, read: three, fullyRead: nowhere })).rejects.toMatchObject({
      errcode: 'M_NOT_FOUND',
    });
    expect(new Set(await receipts())).toEqual(new Set([`m.read  ${two}`, `m.read.private  ${one}`]));
    await test.rooms.setReadMarkers(bob, { roomId });
  });

  it('are for members, and for events of the room that can be seen', async () => {
    const { test, alice, bob, roomId, one, read } = await start();
    const eve = await test.user('eve');
    const set = (user: TestUser, eventId: EventId) => test.rooms.setReceipt(user, roomId, 'm.read', eventId, undefined);
    await expect(set(eve, one)).rejects.toMatchObject({ status: 403, errcode: 'M_FORBIDDEN' });
    await expect(set(bob, '$nowhere' as EventId)).rejects.toMatchObject({ status: 404, errcode: 'M_NOT_FOUND' });
    const other = await test.createRoom(alice);
    const elsewhere = await test.say(alice, other, 'elsewhere');
    await expect(set(bob, elsewhere)).rejects.toMatchObject({ status: 404, errcode: 'M_NOT_FOUND' });
    await expect(read('m.read', one, '')).rejects.toMatchObject({ status: 400, errcode: 'M_INVALID_PARAM' });
    await test.rooms.leaveRoom(bob, { roomId });
    await expect(set(bob, one)).rejects.toMatchObject({ errcode: 'M_FORBIDDEN' });
  });

  it('do not count what was said in a thread that somebody is in, differently for each', async () => {
    const { test, alice, roomId, one, unread, read } = await start();
    await test.say(alice, roomId, 'reply', { 'm.relates_to': { rel_type: 'm.thread', event_id: one } });
    expect(await unread()).toBe(5);
    await read('m.read', one, one);
    expect(await unread()).toBe(5);
  });
});
