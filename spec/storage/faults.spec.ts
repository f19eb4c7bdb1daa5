import { readdirSync } from 'node:fs';
import { dirname } from 'node:path';
import Sqlite from 'better-sqlite3';
import { expect, it } from 'vitest';
import { systemTimers } from '../../src/platform/timers.ts';
import { threadWorkers } from '../../src/platform/workers.ts';
import { UnitFailed } from '../../src/storage/database.ts';
import type { GroupCommitDatabase } from '../../src/storage/group-commit.ts';
import { DatabaseRefused } from '../../src/storage/migrate.ts';
import { openDatabase } from '../../src/storage/open.ts';
import { onSqlite } from '../support/databases.ts';
import { addBody, addPair, bodies, pairs } from './support/scratch-queries.ts';

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

  it('refuses a second process, and not the next one', async () => {
    const db = await engine.open({ reopenable: true, ports: realPorts });
    const options = engine.optionsOf(db);
    await expect(openDatabase(options, realPorts)).rejects.toThrow(DatabaseRefused);
    await expect(openDatabase(options, realPorts)).rejects.toThrow('another process has the database');
    await db.close();
    const next = await openDatabase(options, realPorts);
    await next.close();
  });

  it('lets nobody write past the units', async () => {
    const db = await engine.open({ reopenable: true, ports: realPorts });
    await expect(db.dynamic((q) => q.insertInto('extremity').values({ room: 1, nid: 1 }))).rejects.toThrow(
      'writes are units',
    );
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
