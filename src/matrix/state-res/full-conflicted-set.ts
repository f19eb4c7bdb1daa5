/**
 * The full conflicted set, computed from what differs between the states instead of from complete states and auth chains.
 * The same set as fullConflictedSet in auth-chains.ts gives (a differential test holds them together), at a cost that
 * grows with the difference and not with the room.
 *
 * Events are numbers here. Nothing is fetched: see steps.ts.
 * https://spec.matrix.org/v1.19/rooms/v12/#definitions
 */
import { PriorityQueue } from './priority-queue.ts';
import type { Steps } from './steps.ts';

/**
 * The auth DAG of a room: state events only. A chain is a linear run of events of one key, each of which cites the one
 * before it, so that an event's auth chain contains everything below it in its chain.
 */
export interface AuthDag {
  /** Whether the node is at hand, so that auth, depth, chain, seq and key can be asked for. */
  has(nid: number): boolean;
  auth(nid: number): readonly number[];
  /** 0 without auth events, else one more than the greatest depth among them. */
  depth(nid: number): number;
  chain(nid: number): number;
  /** The place in the chain: later events have greater numbers. */
  seq(nid: number): number;
  /** The number of the event's (type, state_key). */
  key(nid: number): number;
  /** Whether the list of citing events is at hand. */
  hasCiting(nid: number): boolean;
  /** The state events that have this one among their auth events. */
  citing(nid: number): readonly number[];
}

/** The unconflicted state map: the event that all states have for a key. */
export interface UnconflictedKeys {
  /** Whether it is at hand what the key has, and if it has an event, the event's node. */
  has(key: number): boolean;
  /** undefined: the key is conflicted, or no state has it. */
  find(key: number): number | undefined;
}

/** What a walk lacks. A key's answer comes with the node of its event. */
export interface AuthDagNeed {
  readonly nodes: readonly number[];
  readonly citing: readonly number[];
  readonly unconflicted: readonly number[];
}

export type AuthDagSteps<Result> = Steps<AuthDagNeed, Result>;

/**
 * `conflicted`: for each state the events that it has for keys that are not unconflicted. Every node of the auth chains must
 * be in the DAG. A state's auth chain includes its own events, as in fullAuthChain.
 */
export function* computeFullConflictedSet(
  conflicted: readonly ReadonlySet<number>[],
  dag: AuthDag,
  unconflicted: UnconflictedKeys,
  rules: { readonly considerConflictedSubgraph: boolean },
): AuthDagSteps<Set<number>> {
  const conflictedStateSet = new Set<number>();
  for (const ofState of conflicted) for (const nid of ofState) conflictedStateSet.add(nid);
  const full = new Set(conflictedStateSet);
  const candidates = yield* differenceCandidates(conflicted, conflictedStateSet, dag, unconflicted);
  const reverse = new ReverseWalk(dag, unconflicted);
  for (const nid of candidates) if (!(yield* reverse.isReached(nid))) full.add(nid);
  if (rules.considerConflictedSubgraph) {
    for (const nid of yield* computeConflictedSubgraph(conflictedStateSet, dag)) full.add(nid);
  }
  return full;
}

/**
 * The members of `full` that are in the auth chain of one of the events: what step 1 of the algorithm adds for its power
 * events. One walk for all of them.
 */
export function* computeAuthChainsWithin(
  events: Iterable<number>,
  full: ReadonlySet<number>,
  dag: AuthDag,
): AuthDagSteps<Set<number>> {
  const starts = [...events];
  yield* ensureAtHand(dag, { nodes: [...full, ...starts] });
  const lowest = lowestDepth(full, dag);
  const found = new Set<number>();
  for (const nid of yield* walkDown(starts, dag, (depth) => depth >= lowest)) if (full.has(nid)) found.add(nid);
  return found;
}

/**
 * Walks down from the conflicted events in order of auth depth, with one bit for each state that reaches an event, until
 * all that is left carries all bits. An event that the unconflicted event of its own key covers in its chain is in the auth
 * chain of every state, and so is all below it. What an unconflicted event covers otherwise is left among the candidates.
 */
function* differenceCandidates(
  conflicted: readonly ReadonlySet<number>[],
  conflictedStateSet: ReadonlySet<number>,
  dag: AuthDag,
  unconflicted: UnconflictedKeys,
): AuthDagSteps<number[]> {
  const allStates = (1n << BigInt(conflicted.length)) - 1n;
  const statesReaching = new Map<number, bigint>();
  const queue = new PriorityQueue<number>((a, b) => dag.depth(a) > dag.depth(b));
  let open = 0;
  const reach = (nid: number, states: bigint): void => {
    const before = statesReaching.get(nid);
    const after = (before ?? 0n) | states;
    if (before === undefined) {
      if (isCovered(nid, dag, unconflicted)) return;
      queue.push(nid);
      if (after !== allStates) open++;
    } else if (before !== allStates && after === allStates) open--;
    statesReaching.set(nid, after);
  };
  yield* ensureCoverageAtHand(conflictedStateSet, dag, unconflicted);
  for (const [index, ofState] of conflicted.entries()) for (const nid of ofState) reach(nid, 1n << BigInt(index));

  const candidates: number[] = [];
  while (open > 0) {
    const level = takeDeepest(queue, dag);
    yield* ensureCoverageAtHand(new Set(level.flatMap((nid) => dag.auth(nid))), dag, unconflicted);
    for (const nid of level) {
      const states = statesReaching.get(nid) ?? 0n;
      if (states !== allStates) {
        open--;
        if (!conflictedStateSet.has(nid)) candidates.push(nid);
      }
      for (const authNid of dag.auth(nid)) reach(authNid, states);
    }
  }
  return candidates;
}

/** All queued events of the greatest depth: none of them is an auth event of another. */
function takeDeepest(queue: PriorityQueue<number>, dag: AuthDag): number[] {
  const level: number[] = [];
  for (let nid = queue.peek(); nid !== undefined; nid = queue.peek()) {
    const [first = nid] = level;
    if (dag.depth(nid) !== dag.depth(first)) break;
    level.push(nid);
    queue.pop();
  }
  return level;
}

function isCovered(nid: number, dag: AuthDag, unconflicted: UnconflictedKeys): boolean {
  const head = unconflicted.find(dag.key(nid));
  return head !== undefined && dag.chain(head) === dag.chain(nid) && dag.seq(head) >= dag.seq(nid);
}

/**
 * Whether an unconflicted event reaches an event, so that it is in every state's auth chain after all. Walks up from the
 * event through those that cite it, the newest first, and stops at the first unconflicted one.
 */
class ReverseWalk {
  readonly #dag: AuthDag;
  readonly #unconflicted: UnconflictedKeys;
  /** What earlier walks found out for good. */
  readonly #unreached = new Set<number>();
  readonly #reached = new Set<number>();

  constructor(dag: AuthDag, unconflicted: UnconflictedKeys) {
    this.#dag = dag;
    this.#unconflicted = unconflicted;
  }

  *isReached(nid: number): AuthDagSteps<boolean> {
    const seen = new Set([nid]);
    const toVisit = [nid];
    while (toVisit.length > 0) {
      const batch = toVisit.splice(-reverseBatchEvents);
      yield* ensureCoverageAtHand(batch, this.#dag, this.#unconflicted);
      if (batch.some((at) => this.#reached.has(at) || this.#unconflicted.find(this.#dag.key(at)) === at)) {
        this.#reached.add(nid);
        return true;
      }
      yield* ensureAtHand(this.#dag, { citing: batch });
      for (const at of batch) {
        for (const citing of this.#dag.citing(at)) {
          if (seen.has(citing) || this.#unreached.has(citing)) continue;
          seen.add(citing);
          toVisit.push(citing);
        }
      }
    }
    for (const at of seen) this.#unreached.add(at);
    return false;
  }
}

/** How many events a reverse walk looks at in one round: enough to save rounds, few enough to stop early. */
const reverseBatchEvents = 64;

/**
 * "The union of all such paths between any pair of events in the conflicted state set": what a walk down to the lowest
 * conflicted depth meets, and of that, what leads to a conflicted event.
 */
function* computeConflictedSubgraph(conflictedStateSet: ReadonlySet<number>, dag: AuthDag): AuthDagSteps<number[]> {
  yield* ensureAtHand(dag, { nodes: conflictedStateSet });
  const lowest = lowestDepth(conflictedStateSet, dag);
  const below = yield* walkDown(conflictedStateSet, dag, (depth) => depth > lowest);
  const upwards = [...new Set([...conflictedStateSet, ...below])].sort((a, b) => dag.depth(a) - dag.depth(b));
  const leading = new Set<number>();
  for (const nid of upwards) {
    if (dag.auth(nid).some((authNid) => leading.has(authNid) || conflictedStateSet.has(authNid))) leading.add(nid);
  }
  return [...leading];
}

/** What the events reach by auth events without leaving the depths that `isWithin` allows. */
function* walkDown(
  starts: Iterable<number>,
  dag: AuthDag,
  isWithin: (depth: number) => boolean,
): AuthDagSteps<Set<number>> {
  const reached = new Set<number>();
  let level = [...starts];
  while (level.length > 0) {
    const next = new Set(level.flatMap((nid) => dag.auth(nid)).filter((nid) => !reached.has(nid)));
    yield* ensureAtHand(dag, { nodes: next });
    level = [...next].filter((nid) => isWithin(dag.depth(nid)));
    for (const nid of level) reached.add(nid);
  }
  return reached;
}

function lowestDepth(nids: Iterable<number>, dag: AuthDag): number {
  let lowest = Infinity;
  for (const nid of nids) lowest = Math.min(lowest, dag.depth(nid));
  return lowest;
}

/** The nodes, and what the unconflicted state map has for their keys. */
function* ensureCoverageAtHand(
  nids: Iterable<number>,
  dag: AuthDag,
  unconflicted: UnconflictedKeys,
): AuthDagSteps<void> {
  const nodes = [...nids];
  yield* ensureAtHand(dag, { nodes });
  const isMissing = (key: number): boolean => !unconflicted.has(key);
  const keys = [...new Set(nodes.map((nid) => dag.key(nid)))].filter(isMissing);
  if (keys.length === 0) return;
  yield { nodes: [], citing: [], unconflicted: keys };
  if (keys.some(isMissing)) throw new Error('The walk was resumed without the keys that it asked for');
}

function* ensureAtHand(
  dag: AuthDag,
  wanted: { readonly nodes?: Iterable<number>; readonly citing?: Iterable<number> },
): AuthDagSteps<void> {
  const isMissingNode = (nid: number): boolean => !dag.has(nid);
  const isMissingCiting = (nid: number): boolean => !dag.hasCiting(nid);
  const nodes = [...(wanted.nodes ?? [])].filter(isMissingNode);
  const citing = [...(wanted.citing ?? [])].filter(isMissingCiting);
  if (nodes.length === 0 && citing.length === 0) return;
  yield { nodes, citing, unconflicted: [] };
  if (nodes.some(isMissingNode) || citing.some(isMissingCiting)) {
    throw new Error('The walk was resumed without the nodes that it asked for');
  }
}
