/**
 * The differential test of the state log with any number of rooms:
 * `npm run fuzz:state-line -- --from 1 --rooms 20000 --version v2|v2.1|v1|<room version>`. Prints the seeds that fail, the
 * counts at the end, and after every thousand rooms what would be lost if the run were cut off.
 */
import { parseArgs } from 'node:util';
import { openDatabase } from '../../../../src/storage/open.ts';
import { testPorts } from '../../../support/test-ports.ts';
import { type Counts, compareRoom } from './compare.ts';

const versionsOf: Record<string, readonly string[]> = { v1: ['1'], v2: ['6', '10', '11'], 'v2.1': ['12'] };

const { values } = parseArgs({
  options: {
    from: { type: 'string', default: '1' },
    rooms: { type: 'string', default: '100' },
    version: { type: 'string', default: 'v2' },
  },
});
/** Rooms share a database, as they do in a server, until it gets large. */
const ROOMS_PER_DATABASE = 50;
const ROOMS_PER_REPORT = 1000;
const first = Number(values.from);
const rooms = Number(values.rooms);
const versions = versionsOf[values.version] ?? [values.version];
const counts: Counts = {};
const failed: number[] = [];
const started = performance.now();
let db = await openDatabase({ engine: 'sqlite', path: ':memory:' }, testPorts());
for (let seed = first; seed < first + rooms && failed.length < 10; seed++) {
  if (seed % ROOMS_PER_DATABASE === 0) {
    await db.close();
    db = await openDatabase({ engine: 'sqlite', path: ':memory:' }, testPorts());
  }
  try {
    await compareRoom(db, seed, versions[seed % versions.length]!, counts);
  } catch (error) {
    failed.push(seed);
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    console.log(`seed ${seed}: ${text.slice(0, 4000)}`);
  }
  const done = seed - first + 1;
  if (done % ROOMS_PER_REPORT === 0 && done < rooms) console.log(JSON.stringify(reportOf(done)));
}
await db.close();
console.log(JSON.stringify(reportOf(rooms), null, 1));
if (failed.length > 0) process.exitCode = 1;

function reportOf(done: number) {
  const seconds = Math.round((performance.now() - started) / 1000);
  return { version: values.version, first, rooms: done, failed, seconds, ...counts };
}
