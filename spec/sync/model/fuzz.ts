/**
 * The model clients of /sync with any number of seeds: `npm run fuzz:sync -- --from 1 --seeds 100`. `--users` and `--actions`:
 * how many users do how much with each. Prints the seeds that fail.
 */
import { parseArgs } from 'node:util';
import { openDatabase } from '../../../src/storage/open.ts';
import { testPorts } from '../../support/test-ports.ts';
import { liveAtRandom } from './live.ts';

const { values } = parseArgs({
  options: {
    from: { type: 'string', default: '1' },
    seeds: { type: 'string', default: '10' },
    users: { type: 'string', default: '20' },
    actions: { type: 'string', default: '2000' },
  },
});
const first = Number(values.from);
const seeds = Number(values.seeds);
const failed: number[] = [];
const started = performance.now();
for (let seed = first; seed < first + seeds && failed.length < 10; seed++) {
  const db = await openDatabase({ engine: 'sqlite', path: ':memory:' }, testPorts());
  try {
    await liveAtRandom(db, { seed, users: Number(values.users), actions: Number(values.actions) });
  } catch (error) {
    failed.push(seed);
    console.log(error instanceof Error ? `${error.message}\n${String(error.cause)}` : error);
  }
  await db.close();
}
const seconds = Math.round((performance.now() - started) / 1000);
console.log(JSON.stringify({ first, seeds, failed, seconds }));
if (failed.length > 0) process.exitCode = 1;
