import { expect, it } from 'vitest';
import type { EventId } from '../../src/matrix/ids/ids.ts';
import { limits } from '../../src/platform/limits.ts';
import { systemTimers } from '../../src/platform/timers.ts';
import { createSearch } from '../../src/search/index.ts';
import { describeOnBothEngines } from '../support/databases.ts';
import { testPorts } from '../support/test-ports.ts';
import { TestRooms } from '../support/test-rooms.ts';
import { WatchedDatabase } from '../support/watched-database.ts';
import { SearchWorld } from './search-world.ts';

describeOnBothEngines('the search index', (engine) => {
  const start = async () => {
    const test = new TestRooms(await engine.open(), testPorts(1));
    const alice = await test.user('alice');
    return { test, alice };
  };

  it('indexes what a database already has, and nothing twice', async () => {
    const { test, alice } = await start();
    const sent: EventId[] = [];
    for (let i = 0; i < 3; i++) {
      const roomId = await test.createRoom(alice);
      for (let j = 0; j < 60; j++) sent.push(await test.say(alice, roomId, `word ${i} ${j}`));
    }
    const redacted = sent[0] ?? ('' as EventId);
    await test.rooms.redactEvent(alice, {
      roomId: (await test.storedEvent(redacted)).roomId,
      eventId: redacted,
      content: {},
      transaction: { deviceNid: 1, path: 'redact', txnId: '1' },
    });
    for (let round = 0; round < 2; round++) {
      const world = new SearchWorld(test.ctx.db, test);
      expect(await world.find(alice, 'word')).toMatchObject({ count: sent.length - 1 });
      await world.search.close();
    }
  });

  it('misses nothing that came while nobody followed, redactions and encryption included', async () => {
    const { test, alice } = await start();
    const [one, two] = [await test.createRoom(alice), await test.createRoom(alice)];
    const before = await test.say(alice, one, 'word before');
    await test.say(alice, two, 'word in a room that will be encrypted');
    const first = new SearchWorld(test.ctx.db, test);
    expect(await first.find(alice, 'word')).toMatchObject({ count: 2 });
    await first.search.close();
    const after = await test.say(alice, one, 'word after');
    await test.rooms.redactEvent(alice, {
      roomId: one,
      eventId: before,
      content: {},
      transaction: { deviceNid: 1, path: 'redact', txnId: '1' },
    });
    await test.setState(alice, two, 'm.room.encryption', { algorithm: 'm.megolm.v1.aes-sha2' });
    const second = new SearchWorld(test.ctx.db, test);
    expect(await second.ids(alice, 'word')).toEqual([after]);
  });

  it('goes on where a crash left it, whatever write it was at', async () => {
    const { test, alice } = await start();
    const db = new WatchedDatabase(test.ctx.db);
    const [one, two] = [await test.createRoom(alice), await test.createRoom(alice)];
    const sent: EventId[] = [];
    for (let i = 0; i < 130; i++) sent.push(await test.say(alice, i % 2 === 0 ? one : two, `word ${i}`));
    for (let writes = 0; writes < 6; writes++) {
      const failed = Promise.withResolvers<unknown>();
      db.failNextWrite(writes);
      const interrupted = createSearch(
        { ...test.ctx, db },
        { findsAllUsers: false, searchesEvents: true, timers: systemTimers, onFailed: failed.resolve },
      );
      await (db.failuresToCome > 0 ? Promise.race([failed.promise, interrupted.settled()]) : undefined);
      await interrupted.close();
      sent.push(await test.say(alice, one, `word between ${writes}`));
    }
    const world = new SearchWorld(test.ctx.db, test);
    expect(await world.find(alice, 'word', { filter: { limit: 50 } })).toMatchObject({ count: sent.length });
  });

  it('reads again what was too much for its memory', async () => {
    const { test, alice } = await start();
    const roomId = await test.createRoom(alice);
    const world = new SearchWorld(test.ctx.db, test);
    await world.search.settled();
    // As if more had come at once than is kept: what is told of a redaction that was none removes nothing that stays.
    const id = await test.say(alice, roomId, 'word');
    const redacted = await test.storedEvent(id);
    await test.ctx.db.write((unit) => {
      for (let i = 0; i <= limits.followerQueueMax; i++) unit.wake({ kind: 'redaction', room: 0, nid: 0, redacted });
    }).committed;
    const later = await test.say(alice, roomId, 'word later');
    expect(await world.ids(alice, 'word')).toEqual([later, id]);
  });

  it('forgets what a purge forgets', async () => {
    const { test, alice } = await start();
    const roomId = await test.createRoom(alice);
    const world = new SearchWorld(test.ctx.db, test);
    for (let i = 0; i < 5; i++) await test.say(alice, roomId, `word ${i}`);
    const kept = await test.say(alice, roomId, 'word kept');
    expect(await world.find(alice, 'word')).toMatchObject({ count: 6 });
    await test.rooms.purgeHistory(roomId, kept);
    expect(await world.find(alice, 'word')).toMatchObject({ count: 1, results: [{ result: { event_id: kept } }] });
    await world.search.close();
    expect(await new SearchWorld(test.ctx.db, test).ids(alice, 'word')).toEqual([kept]);
  });

  it('finds at once what has just been said', async () => {
    const { test, alice } = await start();
    const roomId = await test.createRoom(alice);
    const world = new SearchWorld(test.ctx.db, test);
    await world.search.settled();
    for (let i = 0; i < 20; i++) {
      const id = await test.say(alice, roomId, `word${i}`);
      const answer = await world.search.events(alice, {
        term: `word${i}`,
        keys: ['content.body'],
        filter: undefined,
        orderBy: 'rank',
        context: undefined,
        includeState: false,
        groupBy: [],
        nextBatch: undefined,
      });
      expect(answer['results']).toMatchObject([{ result: { event_id: id } }]);
    }
  });

  it('is not written and not asked where it is switched off', async () => {
    const { test, alice } = await start();
    const options = { findsAllUsers: false, timers: systemTimers, onFailed: () => undefined };
    const off = createSearch(test.ctx, { ...options, searchesEvents: false });
    await test.say(alice, await test.createRoom(alice), 'word');
    await expect(
      off.events(alice, {
        term: 'word',
        keys: ['content.body'],
        filter: undefined,
        orderBy: 'rank',
        context: undefined,
        includeState: false,
        groupBy: [],
        nextBatch: undefined,
      }),
    ).rejects.toMatchObject({ status: 403, errcode: 'M_FORBIDDEN' });
    await off.close();
    expect(await new SearchWorld(test.ctx.db, test).find(alice, 'word')).toMatchObject({ count: 1 });
  });
});
