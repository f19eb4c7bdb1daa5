/**
 * What a plain message costs to store: CPU in the main thread, CPU in the others (the writer), and time, for groups of
 * different sizes. Without an argument SQLite in a temporary folder, else the URL of an empty PostgreSQL database.
 *   node spec/bench/units.ts [postgres://…]
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemTimers } from '../../src/platform/timers.ts';
import { threadWorkers } from '../../src/platform/workers.ts';
import type { UnitTicket } from '../../src/storage/database.ts';
import { encodeEventBody } from '../../src/storage/event-body.ts';
import type { GroupCommitDatabase } from '../../src/storage/group-commit.ts';
import { type DatabaseOptions, openDatabase } from '../../src/storage/open.ts';
import {
  insertEvent,
  insertEventBody,
  insertExtremity,
  replaceExtremity,
} from '../../src/storage/stores/room-graph-store.ts';
import { insertTransaction } from '../../src/storage/stores/txn-store.ts';

const roomCount = 500;
const body = JSON.stringify({ type: 'm.room.encrypted', content: { ciphertext: 'x'.repeat(1200) } });

const folder = mkdtempSync(join(tmpdir(), 'veche-bench-'));
const url = process.argv[2];
const options: DatabaseOptions =
  url === undefined ? { engine: 'sqlite', path: join(folder, 'veche.db') } : { engine: 'postgres', url };
const db = await openDatabase(options, { timers: systemTimers, workers: threadWorkers });
const last = new Map<number, number>();
let sent = 0;
try {
  await send(db, 128, 12_800);
  for (const [group, total] of [
    [1, 2_000],
    [16, 16_000],
    [64, 25_600],
    [128, 25_600],
  ] as const)
    console.log(await measured(group, total));
} finally {
  await db.close();
  rmSync(folder, { recursive: true, force: true });
}

async function measured(group: number, total: number): Promise<string> {
  const before = await db.diagnostics();
  const mainBefore = process.threadCpuUsage();
  const allBefore = process.cpuUsage();
  const startMs = performance.now();
  await send(db, group, total);
  const wallUs = (1000 * (performance.now() - startMs)) / total;
  const main = process.threadCpuUsage(mainBefore);
  const all = process.cpuUsage(allBefore);
  const after = await db.diagnostics();
  const mainUs = (main.user + main.system) / total;
  const othersUs = (all.user + all.system) / total - mainUs;
  const rows = (after.rowsChanged - before.rowsChanged) / total;
  return (
    `group of ${group}: main ${mainUs.toFixed(1)} µs, others ${othersUs.toFixed(1)} µs, wall ${wallUs.toFixed(0)} µs per unit; ` +
    `${((after.units - before.units) / (after.commits - before.commits)).toFixed(1)} units per commit, ${rows.toFixed(2)} rows per unit`
  );
}

/** Hands in `group` units at once, and the next when they are committed. */
async function send(database: GroupCommitDatabase, group: number, total: number): Promise<void> {
  for (let done = 0; done < total; done += group)
    await Promise.all(Array.from({ length: group }, () => message(database).committed));
}

function message(database: GroupCommitDatabase): UnitTicket {
  const number = ++sent;
  const nid = database.nextId();
  const room = number % roomCount;
  const tip = last.get(room);
  last.set(room, nid);
  const ts = 1_705_305_600_000 + number;
  return database.write((unit) => {
    const pos = unit.nextPos();
    unit.run(insertEvent, {
      nid,
      // event ids come in no order
      eventId: `$abcdefghijklmnopqrstuvwxyzABCDEFGH${(number * 7919) % 1_000_000_000}`,
      room,
      ord: pos * 1024,
      pos,
      type: 'm.room.encrypted',
      sender: number % 1000,
      skey: null,
      ts,
      depth: number,
      sline: null,
      spos: null,
      flags: 0,
      notifySeq: number,
    });
    unit.run(insertEventBody, { nid, body: encodeEventBody(body) });
    if (tip === undefined) unit.run(insertExtremity, { room, nid });
    else unit.run(replaceExtremity, { room, nid: tip, byNid: nid }, { changes: 1 });
    const path = '/rooms/!abcdefghijklmnopqr:example.org/send/m.room.encrypted';
    unit.run(insertTransaction, { device: number % 1000, path, txn: `m1705305600.${number}`, nid, ts });
  });
}
