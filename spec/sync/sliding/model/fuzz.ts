/**
 * The model clients of sliding sync with any number of seeds: `npm run fuzz:sliding -- --from 1 --seeds 100`. `--actions`: how
 * much happens with each. Prints the seeds that fail.
 */
import { parseArgs } from 'node:util';
import { openDatabase } from '../../../../src/storage/open.ts';
import { testPorts } from '../../../support/test-ports.ts';
import { liveWithSliding } from './sliding-world.ts';

const { values } = parseArgs({
  options: {
    from: { type: 'string', default: '1' },
    seeds: { type: 'string', default: '100' },
    actions: { type: 'string', default: '200' },
  },
});
const first = Number(values.from);
const seeds = Number(values.seeds);
const failed: number[] = [];
for (let seed = first; seed < first + seeds && failed.length < 10; seed++) {
  const db = await openDatabase({ engine: 'sqlite', path: ':memory:' }, testPorts());
  try {
    // Each tenth over HTTP.
    await liveWithSliding(db, { seed, actions: Number(values.actions), isOverHttp: seed % 10 === 0 });
  } catch (error) {
    failed.push(seed);
    console.log(error instanceof Error ? `${error.message}\n${String(error.cause)}` : error);
  }
  await db.close();
}
console.log(JSON.stringify({ first, seeds, failed }));
if (failed.length > 0) process.exitCode = 1;
