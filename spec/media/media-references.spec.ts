/** Which events name which files, as it is followed, on both engines. */
import { expect, it, onTestFinished } from 'vitest';
import type { EventId, RoomId } from '../../src/matrix/ids/ids.ts';
import type { JsonObject } from '../../src/matrix/json/json-value.ts';
import { ReferenceDerivation } from '../../src/media/references/reference-derivation.ts';
import { limits } from '../../src/platform/limits.ts';
import { systemTimers } from '../../src/platform/timers.ts';
import { StreamFollower } from '../../src/rooms/stream-follower.ts';
import type { Database } from '../../src/storage/database.ts';
import { mediaOfRoom } from '../../src/storage/stores/media-reference-store.ts';
import { describeOnBothEngines } from '../support/databases.ts';
import { testPorts } from '../support/test-ports.ts';
import { type TestUser, TestRooms } from '../support/test-rooms.ts';
import { WatchedDatabase } from '../support/watched-database.ts';

describeOnBothEngines('references to files', (engine) => {
  const start = async () => {
    const test = new TestRooms(await engine.open(), testPorts(1));
    return { test, alice: await test.user('alice') };
  };
  const follow = (db: Database, onFailed?: (error: unknown) => void) => {
    const fail = (error: unknown): never => {
      throw error;
    };
    const follower = new StreamFollower(db, new ReferenceDerivation(db), {
      timers: systemTimers,
      onFailed: onFailed ?? fail,
    });
    onTestFinished(() => follower.close());
    return follower;
  };
  const rowsOf = (test: TestRooms) =>
    test.ctx.db.dynamic((q) => q.selectFrom('media_reference').selectAll().orderBy('media_id').orderBy('nid'));
  const idsOf = async (test: TestRooms): Promise<string[]> => (await rowsOf(test)).map((row) => row.media_id);
  let transactions = 0;
  const send = (test: TestRooms, user: TestUser, roomId: RoomId, content: JsonObject, type = 'm.room.message') =>
    test.rooms.sendMessage(user, {
      roomId,
      type,
      content,
      transaction: { deviceNid: user.deviceNid, path: 'send', txnId: String(++transactions) },
    });
  const image = (id: string): JsonObject => ({ msgtype: 'm.image', body: id, url: `mxc://a.example/${id}` });
  const redact = (test: TestRooms, user: TestUser, roomId: RoomId, eventId: EventId): Promise<EventId> =>
    test.rooms.redactEvent(user, {
      roomId,
      eventId,
      content: {},
      transaction: { deviceNid: user.deviceNid, path: 'redact', txnId: String(++transactions) },
    });

  it('are those of messages, pictures of rooms and members; not of what is encrypted', async () => {
    const { test, alice } = await start();
    const follower = follow(test.ctx.db);
    const roomId = await test.createRoom(alice);
    await send(test, alice, roomId, { ...image('picture'), info: { thumbnail_url: 'mxc://a.example/thumbnail' } });
    await send(test, alice, roomId, { ...image('sticker'), info: {} }, 'm.sticker');
    await send(test, alice, roomId, { ...image('secret'), ciphertext: 'x' }, 'm.room.encrypted');
    await test.say(alice, roomId, 'words');
    await test.setState(alice, roomId, 'm.room.avatar', { url: 'mxc://a.example/room' });
    const member = { membership: 'join', avatar_url: 'mxc://a.example/member' };
    await test.setState(alice, roomId, 'm.room.member', member, alice.userId);
    await follower.settled();
    const rows = await rowsOf(test);
    const dag = await test.ctx.dags.open(roomId);
    expect(rows.map((row) => [row.media_id, row.role])).toEqual([
      ['member', 2],
      ['picture', 0],
      ['room', 1],
      ['sticker', 0],
      ['thumbnail', 0],
    ]);
    for (const row of rows) expect(row).toMatchObject({ origin: 'a.example', room: dag.room, sender: alice.userNid });
    const page = { room: dag.room, origin: '', mediaId: '', limit: 3 };
    const first = await test.ctx.db.all(mediaOfRoom, page);
    expect(first.map((row) => row.media_id)).toEqual(['picture', 'room', 'sticker']);
    const rest = await test.ctx.db.all(mediaOfRoom, { ...page, origin: 'a.example', mediaId: 'sticker' });
    expect(rest).toEqual([{ origin: 'a.example', media_id: 'thumbnail' }]);
  });

  it('go with a redaction, and with the history that is purged', async () => {
    const { test, alice } = await start();
    const follower = follow(test.ctx.db);
    const roomId = await test.createRoom(alice);
    const both = await send(test, alice, roomId, image('both'));
    const again = await send(test, alice, roomId, image('both'));
    // Also where the redaction comes before the reference was written.
    await redact(test, alice, roomId, await send(test, alice, roomId, image('soon gone')));
    await follower.settled();
    expect(await idsOf(test)).toEqual(['both', 'both']);
    await redact(test, alice, roomId, both);
    await follower.settled();
    expect(await idsOf(test)).toEqual(['both']);
    const kept = await send(test, alice, roomId, image('kept'));
    await follower.settled();
    expect(await idsOf(test)).toEqual(['both', 'kept']);
    expect(again).not.toBe(kept);
    await test.rooms.purgeHistory(roomId, kept);
    expect(await idsOf(test)).toEqual(['kept']);
  });

  it('of what was there before, and of what came while nobody followed, are found at the start', async () => {
    const { test, alice } = await start();
    const rooms = [await test.createRoom(alice), await test.createRoom(alice)] as const;
    const early = await send(test, alice, rooms[0], image('a'));
    for (let i = 0; i < 600; i++) await test.say(alice, rooms[1], `words ${i}`);
    await send(test, alice, rooms[1], image('b'));
    const first = follow(test.ctx.db);
    await first.settled();
    expect(await idsOf(test)).toEqual(['a', 'b']);
    await first.close();
    await redact(test, alice, rooms[0], early);
    await send(test, alice, rooms[0], image('c'));
    const second = follow(test.ctx.db);
    await second.settled();
    expect(await idsOf(test)).toEqual(['b', 'c']);
  });

  it('are complete after crashes, whatever write was lost', async () => {
    const { test, alice } = await start();
    const db = new WatchedDatabase(test.ctx.db);
    const rooms = [await test.createRoom(alice), await test.createRoom(alice)] as const;
    let sent = 0;
    for (; sent < 30; sent++) await send(test, alice, rooms[sent % 2] ?? rooms[0], image(String(1_000 + sent)));
    for (let writes = 0; writes < 5; writes++) {
      const failed = Promise.withResolvers<unknown>();
      db.failNextWrite(writes);
      const interrupted = follow(db, failed.resolve);
      await (db.failuresToCome > 0 ? Promise.race([failed.promise, interrupted.settled()]) : undefined);
      await interrupted.close();
      await send(test, alice, rooms[0], image(String(1_000 + sent++)));
    }
    await follow(test.ctx.db).settled();
    expect(await idsOf(test)).toEqual(Array.from({ length: sent }, (_, i) => String(1_000 + i)));
  });

  it('are read again where more came at once than is kept in memory, and progress is noted where nothing concerns them', async () => {
    const { test, alice } = await start();
    const roomId = await test.createRoom(alice);
    const follower = follow(test.ctx.db);
    await follower.settled();
    expect(follower.isLive).toBe(true);
    const redacted = await test.storedEvent(await send(test, alice, roomId, image('a')));
    await test.ctx.db.write((unit) => {
      for (let i = 0; i <= limits.followerQueueMax; i++) unit.wake({ kind: 'redaction', room: 0, nid: 0, redacted });
    }).committed;
    await send(test, alice, roomId, image('b'));
    await follower.settled();
    expect(await idsOf(test)).toEqual(['a', 'b']);
    const positionOf = () =>
      test.ctx.db.dynamic((q) =>
        q.selectFrom('stream_progress').select('pos').where('follower', '=', 'media_reference'),
      );
    await test.ctx.db.write((unit) => {
      for (let i = 0; i < 20_000; i++) unit.nextPos();
    }).committed;
    await follower.settled();
    expect(await positionOf()).toEqual([{ pos: test.ctx.db.committedPos() }]);
  });
});
