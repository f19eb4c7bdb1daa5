/**
 * Compares the two ways to the full conflicted set on many random auth DAGs:
 * `npm run fuzz:auth-difference -- --dags 20000 --from 1`. Prints the seed of every DAG where they differ.
 */
import { parseArgs } from 'node:util';
import { compareWays, randomRoom } from './support/random-auth-dag.ts';
import { seededRandom } from './support/seeded-random.ts';

const { values } = parseArgs({
  options: { dags: { type: 'string', default: '20000' }, from: { type: 'string', default: '1' } },
});
const first = Number(values.from);
const last = first + Number(values.dags) - 1;
const totals = { dags: 0, differences: 0, fullConflictedEvents: 0, addedByTheSubgraph: 0, rounds: 0 };
for (let seed = first; seed <= last; seed++) {
  const room = randomRoom(seededRandom(seed));
  totals.dags++;
  for (const considerConflictedSubgraph of [false, true]) {
    const result = compareWays(room, considerConflictedSubgraph, seed % 2 === 0);
    totals.fullConflictedEvents += result.fullConflictedEvents;
    totals.addedByTheSubgraph += result.addedByTheSubgraph;
    totals.rounds += result.rounds;
    if (result.difference === undefined) continue;
    totals.differences++;
    process.stdout.write(`seed ${seed}, subgraph ${considerConflictedSubgraph}: ${result.difference}\n`);
  }
}
process.stdout.write(`${JSON.stringify(totals)}\n`);
if (totals.differences > 0) process.exitCode = 1;
