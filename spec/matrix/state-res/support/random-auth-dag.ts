/** Random auth DAGs with states of a room, and the differential test of the pruned full conflicted set against the definition. */
import { authChain, fullConflictedSet } from '../../../../src/matrix/state-res/auth-chains.ts';
import {
  computeAuthChainsWithin,
  computeFullConflictedSet,
} from '../../../../src/matrix/state-res/full-conflicted-set.ts';
import { runSteps } from '../../../../src/matrix/state-res/steps.ts';
import { MemoryAuthDag, MemoryUnconflictedKeys } from './memory-auth-dag.ts';

export interface RandomRoom {
  /** The auth events and the key of each event; its number is its index. */
  readonly auth: readonly (readonly number[])[];
  readonly keys: readonly number[];
  readonly states: readonly ReadonlyMap<number, number>[];
}

export interface Comparison {
  /** A sentence when the two ways differ. */
  readonly difference: string | undefined;
  readonly fullConflictedEvents: number;
  readonly addedByTheSubgraph: number;
  readonly rounds: number;
}

/**
 * Events cite the newest event of their own key on some branch, some of a few widely cited keys, and now and then any old
 * event. `random(n)` gives an integer from 0 to n − 1.
 */
export function randomRoom(random: (n: number) => number): RandomRoom {
  const keyCount = 3 + random(10);
  const branchCount = 2 + random(3);
  const eventCount = 10 + random(random(4) === 0 ? 150 : 50);
  const widelyCited = 1 + random(3);
  const wildness = [0, 5, 20][random(3)] ?? 0;
  const auth: number[][] = [[]];
  const keys: number[] = [0];
  const branches = Array.from({ length: branchCount }, () => new Map<number, number>([[0, 0]]));
  for (let nid = 1; nid < eventCount; nid++) {
    const branch = branches[random(branchCount)] as Map<number, number>;
    const key = 1 + random(keyCount);
    const cited = new Set<number>();
    if (random(100) < 80) cited.add(0);
    const own = branch.get(key);
    if (own !== undefined && random(100) >= wildness) cited.add(own);
    for (let wide = 1; wide <= widelyCited; wide++) {
      const at = branch.get(wide);
      if (at !== undefined && random(100) < 85) cited.add(at);
    }
    if (random(100) < 15) {
      const [, any] = [...branch][random(branch.size)] as [number, number];
      cited.add(any);
    }
    if (random(100) < wildness) cited.add(random(nid));
    auth.push([...cited]);
    keys.push(key);
    if (random(100) < 92) branch.set(key, nid);
    if (random(100) < 12) mergeBranches(branches, random);
  }
  const states = branches.slice(0, 2 + random(branchCount - 1));
  return { auth, keys, states };
}

/** One branch takes over what another has, for all keys or for some. */
function mergeBranches(branches: readonly Map<number, number>[], random: (n: number) => number): void {
  const from = branches[random(branches.length)] as Map<number, number>;
  const into = branches[random(branches.length)] as Map<number, number>;
  const percent = [100, 70, 20][random(3)] ?? 100;
  for (const [key, nid] of from) if (random(100) < percent) into.set(key, nid);
}

/** Computes the set both ways, from a DAG that has everything and from one that has nothing at hand. */
export function compareWays(room: RandomRoom, considerConflictedSubgraph: boolean, lazy: boolean): Comparison {
  const { auth, keys, states } = room;
  const authEventsOf = (nid: number): readonly number[] => auth[nid] ?? [];
  const unconflicted = new Map<number, number>();
  const conflicted = states.map(() => new Set<number>());
  for (const key of new Set(keys)) {
    const values = states.map((state) => state.get(key));
    const [first] = values;
    if (first !== undefined && values.every((value) => value === first)) unconflicted.set(key, first);
    else for (const [index, value] of values.entries()) if (value !== undefined) conflicted[index]?.add(value);
  }
  const conflictedStateSet = new Set(conflicted.flatMap((ofState) => [...ofState]));
  const values = states.map((state) => [...state.values()]);
  const expected = fullConflictedSet(conflictedStateSet, values, authEventsOf, { considerConflictedSubgraph });
  const without = fullConflictedSet(conflictedStateSet, values, authEventsOf, { considerConflictedSubgraph: false });

  const dag = new MemoryAuthDag({ lazy });
  for (const [nid, cited] of auth.entries()) dag.add(nid, keys[nid] ?? 0, cited);
  const lookup = new MemoryUnconflictedKeys(unconflicted, { lazy });
  let rounds = 0;
  const supply = (need: Parameters<typeof lookup.supply>[0]): void => {
    if (!lazy) throw new Error('Asked for something although all is at hand');
    rounds++;
    lookup.supply(need, dag);
  };
  const full = runSteps(computeFullConflictedSet(conflicted, dag, lookup, { considerConflictedSubgraph }), supply);
  const starts = [...full].filter((nid) => (keys[nid] ?? 0) % 2 === 1);
  const within = runSteps(computeAuthChainsWithin(starts, full, dag), supply);
  const chain = authChain(starts, authEventsOf);
  const expectedWithin = new Set([...full].filter((nid) => chain.has(nid)));
  return {
    difference: differenceOf('full conflicted set', full, expected) ?? differenceOf('chains', within, expectedWithin),
    fullConflictedEvents: expected.size,
    addedByTheSubgraph: expected.size - without.size,
    rounds,
  };
}

function differenceOf(what: string, got: ReadonlySet<number>, expected: ReadonlySet<number>): string | undefined {
  const missing = expected.difference(got);
  const superfluous = got.difference(expected);
  if (missing.size === 0 && superfluous.size === 0) return undefined;
  return `${what}: missing ${[...missing].join(' ')}; superfluous ${[...superfluous].join(' ')}`;
}
