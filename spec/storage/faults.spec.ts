import { readdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import Sqlite from 'better-sqlite3';
import { expect, it } from 'vitest';
import { systemTimers } from '../../src/platform/timers.ts';
import { threadWorkers } from '../../src/platform/workers.ts';
import { UnitFailed } from '../../src/storage/database.ts';
import type { GroupCommitDatabase } from '../../src/storage/group-commit.ts';
import { DatabaseRefused } from '../../src/storage/migrate.ts';
import { openDatabase } from '../../src/storage/open.ts';
import { walBytesMax } from '../../src/storage/sqlite/connection.ts';
import { describeOnBothEngines, onSqlite } from '../support/databases.ts';
import { testPorts } from '../support/test-ports.ts';
import { addBody, addPair, bodies, pairs, setFact } from './support/scratch-queries.ts';

const realPorts = { timers: systemTimers, workers: threadWorkers };

onSqlite('SQLite with its writer in a thread', (engine) => {
  it('has synchronous = FULL and a write-ahead log on the connection that writes', async () => {
    const db = await engine.open({ reopenable: true, ports: realPorts });
    expect(await db.diagnostics()).toMatchObject({ engine: 'sqlite', synchronous: '2', journalMode: 'wal' });
  });

  it('shares commits between units that come from many places at once', async () => {
    const db = await engine.open({ reopenable: true, ports: realPorts });
    const work = async (room: number) => {
      for (let nid = 0; nid < 50; nid++) {
        await db.write((unit) => unit.run(addPair, { room, nid })).committed;
        // what was acknowledged is what a reader sees
        const read = await db.all(pairs, { room });
        expect(read.length).toBe(nid + 1);
      }
    };
    await Promise.all(Array.from({ length: 50 }, (_, room) => work(room)));
    const { commits, units } = await db.diagnostics();
    expect(units).toBeGreaterThanOrEqual(2_500);
    expect(commits).toBeLessThan(units / 5);
  });

  it('fails what is in flight when the disk is full, loses nothing, and goes on when it can', async () => {
    const options = { ...(await engine.freshOptions()), fileBytesMax: 2 * 1024 * 1024 };
    const db = await openDatabase(options, realPorts);
    try {
      await survivesFullDisk(db);
    } finally {
      await db.close();
    }
  });

  it('starts another thread when the one it had has ended, and fails only what was in flight', async () => {
    const channels: { close(): Promise<void> }[] = [];
    const start: typeof threadWorkers.start = (module, data) => {
      const channel = threadWorkers.start<never, never>(module, data);
      channels.push(channel);
      return channel;
    };
    const db = await engine.open({ reopenable: true, ports: { ...realPorts, workers: { inline: false, start } } });
    await db.write((unit) => unit.run(addPair, { room: 1, nid: 1 })).committed;
    await channels[0]?.close();
    await expect(db.write((unit) => unit.run(addPair, { room: 1, nid: 2 })).committed).rejects.toThrow(UnitFailed);
    await db.write((unit) => unit.run(addPair, { room: 1, nid: 3 })).committed;
    expect(await db.all(pairs, { room: 1 })).toEqual([{ nid: 1 }, { nid: 3 }]);
    expect(channels).toHaveLength(2);
  });

  it('keeps its write-ahead log bounded under load, and empties it when nobody writes', async () => {
    const { timers, advance } = testPorts();
    const db = await engine.open({ reopenable: true, ports: { timers, workers: threadWorkers } });
    const options = engine.optionsOf(db);
    if (options.engine !== 'sqlite') throw new Error('SQLite was expected');
    const logBytes = () => statSync(`${options.path}-wal`).size;
    const body = Buffer.alloc(256 * 1024, 7);
    for (let round = 0; round < 60; round++)
      await Promise.all(
        Array.from(
          { length: 16 },
          (_, index) => db.write((unit) => unit.run(addBody, { nid: 16 * round + index, body })).committed,
        ),
      );
    // 240 MiB went through it
    expect(logBytes()).toBeGreaterThan(0);
    expect(logBytes()).toBeLessThanOrEqual(walBytesMax + 8 * 1024 * 1024);
    await expect.poll(async () => (await advance(10_000), logBytes()), { timeout: 30_000 }).toBe(0);
  });

  it('leaves one file behind when it is closed', async () => {
    const db = await engine.open({ reopenable: true, ports: realPorts });
    const options = engine.optionsOf(db);
    if (options.engine !== 'sqlite') throw new Error('SQLite was expected');
    await db.write((unit) => unit.run(addPair, { room: 1, nid: 1 })).committed;
    await db.close();
    expect(readdirSync(dirname(options.path)).toSorted()).toEqual(['veche.db', 'veche.db.lock']);
    const closed = new Sqlite(options.path, { readonly: true });
    expect(closed.prepare('SELECT room, nid FROM extremity').all()).toEqual([{ room: 1, nid: 1 }]);
    closed.close();
  });
});

describeOnBothEngines('an open database', (engine) => {
  it('refuses a second process, and not the next one', async () => {
    const db = await engine.open({ reopenable: true, ports: realPorts });
    const options = engine.optionsOf(db);
    const second = openDatabase(options, realPorts);
    await expect(second).rejects.toThrow(DatabaseRefused);
    await expect(second).rejects.toThrow('another process has the database');
    await db.close();
    const next = await openDatabase(options, realPorts);
    await next.close();
  });

  it('answers queries of changing shape, with all texts', async () => {
    const db = await engine.open();
    const name = 'zero \u0000 and \u{10FFFF}';
    await db.write((unit) => unit.run(setFact, { name, value: name })).committed;
    const query = db.dynamic((q) => q.selectFrom('server_fact').selectAll().where('name', '=', name));
    expect(await query).toEqual([{ name, value: name }]);
  });

  it('lets nobody write past the units', async () => {
    const db = await engine.open({ reopenable: true, ports: realPorts });
    const write = db.dynamic((q) => q.insertInto('extremity').values({ room: 1, nid: 1 }));
    await expect(write).rejects.toThrow(/writes are units|read-only transaction/);
    expect(await db.all(pairs, { room: 1 })).toEqual([]);
  });
});

onSqlite('SQLite in one thread', (engine) => {
  it('survives a full disk the same way', async () => {
    const options = { ...(await engine.freshOptions()), fileBytesMax: 2 * 1024 * 1024 };
    const db = await openDatabase(options, { ...realPorts, workers: { ...threadWorkers, inline: true } });
    try {
      await survivesFullDisk(db);
    } finally {
      await db.close();
    }
  });
});

async function survivesFullDisk(db: GroupCommitDatabase): Promise<void> {
  await db.write((unit) => unit.run(addBody, { nid: 1, body: Buffer.alloc(100_000, 1) })).committed;
  const id = db.nextId();
  const tickets = [
    db.write((unit) => unit.run(addBody, { nid: 2, body: Buffer.alloc(1000, 2) })),
    db.write((unit) => {
      unit.nextPos();
      unit.run(addBody, { nid: 3, body: Buffer.alloc(4_500_000, 3) });
    }),
    db.write((unit) => unit.run(addBody, { nid: 4, body: Buffer.alloc(1000, 4) })),
    // groups are bounded by bytes, so this one waits in the queue while the others fail
    db.write((unit) => unit.run(addBody, { nid: 5, body: Buffer.alloc(1000, 5) })),
  ];
  const settled = await Promise.allSettled(tickets.map((ticket) => ticket.committed));
  for (const result of settled) {
    if (result.status === 'fulfilled') throw new Error('a unit was committed on a full disk');
    expect(result.reason).toBeInstanceOf(UnitFailed);
    expect(String(result.reason)).toContain('full');
  }
  expect((await db.all(bodies, { nids: [1, 2, 3, 4, 5] })).map(({ nid }) => nid)).toEqual([1]);
  // the numbers that were reserved with what failed are reserved again
  const positions: number[] = [];
  await db.write((unit) => {
    positions.push(unit.nextPos());
    unit.run(addBody, { nid: 6, body: Buffer.alloc(1000, 6) });
  }).committed;
  expect((await db.all(bodies, { nids: [1, 2, 3, 4, 5, 6] })).map(({ nid }) => nid)).toEqual([1, 6]);
  expect(positions[0]).toBe(db.committedPos());
  expect(db.nextId()).toBeGreaterThan(id);
}
