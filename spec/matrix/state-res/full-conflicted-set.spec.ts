import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { computeFullConflictedSet, type AuthDagNeed } from '../../../src/matrix/state-res/full-conflicted-set.ts';
import { runSteps, runStepsAsync } from '../../../src/matrix/state-res/steps.ts';
import { MemoryAuthDag, MemoryUnconflictedKeys } from './support/memory-auth-dag.ts';
import { compareWays, randomRoom } from './support/random-auth-dag.ts';
import { seededRandom } from './support/seeded-random.ts';

describe('the full conflicted set from what differs', () => {
  for (const considerConflictedSubgraph of [false, true]) {
    const version = considerConflictedSubgraph ? 'v2.1' : 'v2';
    it(`${version}: is what the definition gives, in 300 random auth DAGs`, () => {
      let conflictedEvents = 0;
      let bySubgraph = 0;
      for (let seed = 1; seed <= 300; seed++) {
        const room = randomRoom(seededRandom(seed));
        const result = compareWays(room, considerConflictedSubgraph, seed % 2 === 0);
        expect(result.difference, `seed ${seed}`).toBeUndefined();
        conflictedEvents += result.fullConflictedEvents;
        bySubgraph += result.addedByTheSubgraph;
      }
      expect(conflictedEvents).toBeGreaterThan(1000);
      if (considerConflictedSubgraph) expect(bySubgraph).toBeGreaterThan(50);
    });

    it(`${version}: is what the definition gives, whatever room is made up`, () => {
      fc.assert(
        fc.property(fc.infiniteStream(fc.nat()), fc.boolean(), (numbers, lazy) => {
          const room = randomRoom((n) => (numbers.next().value as number) % n);
          expect(compareWays(room, considerConflictedSubgraph, lazy).difference).toBeUndefined();
        }),
        { numRuns: 100 },
      );
    });
  }

  it('does not look at what both states have in common', () => {
    // A long chain of power levels (key 1), then two members (keys 2 and 3) who change in one state each.
    const dag = new MemoryAuthDag({ lazy: true });
    dag.add(0, 0, []);
    for (let nid = 1; nid <= 1000; nid++) dag.add(nid, 1, nid === 1 ? [0] : [0, nid - 1]);
    dag.add(1001, 2, [0, 1000]);
    dag.add(1002, 3, [0, 1000]);
    dag.add(1003, 2, [0, 1000, 1001]);
    dag.add(1004, 3, [0, 1000, 1002]);
    const unconflicted = new MemoryUnconflictedKeys(
      new Map([
        [0, 0],
        [1, 1000],
      ]),
      { lazy: true },
    );
    const asked = new Set<number>();
    const supply = (need: AuthDagNeed): void => {
      for (const nid of need.nodes) asked.add(nid);
      unconflicted.supply(need, dag);
    };
    const states = [new Set([1001, 1004]), new Set([1003, 1002])];
    const full = runSteps(
      computeFullConflictedSet(states, dag, unconflicted, { considerConflictedSubgraph: false }),
      supply,
    );
    expect(full).toEqual(new Set([1001, 1002, 1003, 1004]));
    expect([...asked].every((nid) => nid === 0 || nid >= 1000)).toBe(true);
  });

  it('is computed for more than 32 states', () => {
    const dag = new MemoryAuthDag({ lazy: false });
    dag.add(0, 0, []);
    const states: Set<number>[] = [];
    for (let nid = 1; nid <= 40; nid++) {
      dag.add(nid, 1, nid === 1 ? [0] : [0, 1]);
      states.push(new Set([nid]));
    }
    const unconflicted = new MemoryUnconflictedKeys(new Map([[0, 0]]), { lazy: false });
    const steps = computeFullConflictedSet(states, dag, unconflicted, { considerConflictedSubgraph: true });
    expect(runSteps(steps, () => expect.unreachable()).size).toBe(40);
  });

  it('runs on a source that answers later, and ends when that fails', async () => {
    const room = randomRoom(seededRandom(7));
    const dag = new MemoryAuthDag({ lazy: true });
    for (const [nid, cited] of room.auth.entries()) dag.add(nid, room.keys[nid] ?? 0, cited);
    const unconflicted = new MemoryUnconflictedKeys(new Map(), { lazy: true });
    const states = room.states.map((state) => new Set(state.values()));
    const compute = () => computeFullConflictedSet(states, dag, unconflicted, { considerConflictedSubgraph: true });
    await expect(runStepsAsync(compute(), () => Promise.reject(new Error('gone')))).rejects.toThrow('gone');
    await expect(runStepsAsync(compute(), () => Promise.resolve())).rejects.toThrow('resumed without');
    const full = await runStepsAsync(compute(), (need) => Promise.resolve(unconflicted.supply(need, dag)));
    expect(full.size).toBeGreaterThan(0);
  });
});
