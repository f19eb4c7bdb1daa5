/**
 * A program that writes until it is killed, as fast as it can, and says which units were acknowledged: a line each, after the
 * promise has resolved. Unit n adds the pairs (n, pos) and (-n, pos), so that half a unit would show.
 * Argument: the database's options as JSON.
 */
import { systemTimers } from '../../../src/platform/timers.ts';
import { threadWorkers } from '../../../src/platform/workers.ts';
import { openDatabase } from '../../../src/storage/open.ts';
import { addPair } from './scratch-queries.ts';

const db = await openDatabase(JSON.parse(process.argv[2] ?? ''), { timers: systemTimers, workers: threadWorkers });

async function writeForEver(): Promise<never> {
  for (;;) {
    const number = db.nextId();
    let pos = 0;
    await db.write((unit) => {
      pos = unit.nextPos();
      unit.run(addPair, { room: number, nid: pos });
      unit.run(addPair, { room: -number, nid: pos });
    }).committed;
    process.stdout.write(`${number} ${pos}.\n`);
  }
}
await Promise.all(Array.from({ length: 40 }, writeForEver));
