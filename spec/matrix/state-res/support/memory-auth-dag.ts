import type { AuthDag, AuthDagNeed, UnconflictedKeys } from '../../../../src/matrix/state-res/full-conflicted-set.ts';

interface Node {
  readonly auth: readonly number[];
  readonly depth: number;
  readonly chain: number;
  readonly seq: number;
  readonly key: number;
}

/** An auth DAG in memory. Everything is at hand, or nothing until it is asked for. */
export class MemoryAuthDag implements AuthDag {
  readonly #nodes = new Map<number, Node>();
  readonly #citing = new Map<number, number[]>();
  readonly #chainEnds: number[] = [];
  readonly #atHand: Set<number> | undefined;
  readonly #citingAtHand = new Set<number>();

  constructor(options: { readonly lazy: boolean }) {
    this.#atHand = options.lazy ? new Set() : undefined;
  }

  /** Auth events come before the events that cite them. */
  add(nid: number, key: number, auth: readonly number[]): void {
    const before = auth.find((id) => this.#node(id).key === key && this.#chainEnds[this.#node(id).chain] === id);
    const chain = before === undefined ? this.#chainEnds.length : this.#node(before).chain;
    const seq = before === undefined ? 1 : this.#node(before).seq + 1;
    this.#chainEnds[chain] = nid;
    const depth = auth.reduce((deepest, id) => Math.max(deepest, this.#node(id).depth + 1), 0);
    this.#nodes.set(nid, { auth, depth, chain, seq, key });
    this.#citing.set(nid, []);
    for (const id of auth) this.#citing.get(id)?.push(nid);
  }

  has(nid: number): boolean {
    return this.#atHand?.has(nid) ?? true;
  }
  auth(nid: number): readonly number[] {
    return this.#atHandNode(nid).auth;
  }
  depth(nid: number): number {
    return this.#atHandNode(nid).depth;
  }
  chain(nid: number): number {
    return this.#atHandNode(nid).chain;
  }
  seq(nid: number): number {
    return this.#atHandNode(nid).seq;
  }
  key(nid: number): number {
    return this.#atHandNode(nid).key;
  }
  hasCiting(nid: number): boolean {
    return this.#atHand === undefined || this.#citingAtHand.has(nid);
  }
  citing(nid: number): readonly number[] {
    if (!this.hasCiting(nid)) throw new Error(`The list of what cites ${nid} was not asked for`);
    return this.#citing.get(nid) ?? [];
  }

  supply(nodes: Iterable<number>, citing: Iterable<number>): void {
    for (const nid of nodes) this.#atHand?.add(nid);
    for (const nid of citing) this.#citingAtHand.add(nid);
  }

  #node(nid: number): Node {
    const node = this.#nodes.get(nid);
    if (node === undefined) throw new Error(`There is no event ${nid}`);
    return node;
  }

  #atHandNode(nid: number): Node {
    if (!this.has(nid)) throw new Error(`The node ${nid} was not asked for`);
    return this.#node(nid);
  }
}

export class MemoryUnconflictedKeys implements UnconflictedKeys {
  readonly #values: ReadonlyMap<number, number>;
  readonly #atHand: Set<number> | undefined;

  constructor(values: ReadonlyMap<number, number>, options: { readonly lazy: boolean }) {
    this.#values = values;
    this.#atHand = options.lazy ? new Set() : undefined;
  }

  has(key: number): boolean {
    return this.#atHand?.has(key) ?? true;
  }
  find(key: number): number | undefined {
    if (!this.has(key)) throw new Error(`The key ${key} was not asked for`);
    return this.#values.get(key);
  }

  /** Makes everything of a need answerable, in the DAG too. */
  supply(need: AuthDagNeed, dag: MemoryAuthDag): void {
    dag.supply(need.nodes, need.citing);
    for (const key of need.unconflicted) {
      this.#atHand?.add(key);
      const nid = this.#values.get(key);
      if (nid !== undefined) dag.supply([nid], []);
    }
  }
}
