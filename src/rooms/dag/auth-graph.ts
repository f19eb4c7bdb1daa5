/** The graph of auth events of one room (R16): which node is where, and where a new one goes. */
import type { Database, UnitBuilder } from '../../storage/database.ts';
import {
  type AuthNodeRow,
  authChainTips,
  authEdgesTo,
  authNodes,
  insertAuthEdge,
  insertAuthNode,
} from '../../storage/stores/auth-dag-store.ts';
import { decodeNumbers, encodeNumbers } from './varint.ts';
import { type Pin, WriteThroughCache } from './write-through-cache.ts';

const NODES_CACHED_MAX = 5_000;
const NIDS_PER_QUERY = 500;

export interface AuthNode {
  readonly nid: number;
  readonly skey: number;
  /** One more than the deepest auth event; 0 without any. */
  readonly adepth: number;
  /** A linear run of events of one state key, each referring to the one before; named after its first event. */
  readonly chain: number;
  readonly seq: number;
  readonly auth: readonly number[];
}

export interface AuthEdge {
  readonly auth_nid: number;
  readonly nid: number;
}

export class AuthGraph {
  readonly #db: Database;
  readonly #room: number;
  readonly #nodes = new WriteThroughCache<number, AuthNode>(NODES_CACHED_MAX);
  /** The newest seq of chains that were asked for. */
  readonly #tips = new WriteThroughCache<number, number>(NODES_CACHED_MAX);

  constructor(db: Database, room: number) {
    this.#db = db;
    this.#room = room;
  }

  peek(nid: number): AuthNode | undefined {
    return this.#nodes.get(nid);
  }

  /** Nodes of state events of this room; other numbers are left out. */
  async nodes(nids: Iterable<number>): Promise<Map<number, AuthNode>> {
    const nodes = new Map<number, AuthNode>();
    const missing: number[] = [];
    for (const nid of nids) {
      const cached = this.#nodes.get(nid);
      if (cached !== undefined) nodes.set(nid, cached);
      else missing.push(nid);
    }
    if (missing.length === 0) return nodes;
    for (let at = 0; at < missing.length; at += NIDS_PER_QUERY)
      for (const row of await this.#db.all(authNodes, { nids: missing.slice(at, at + NIDS_PER_QUERY) }))
        nodes.set(row.nid, this.#keep(row));
    return nodes;
  }

  /** Who refers to these as auth events, as far as it is committed. */
  async citing(nids: readonly number[]): Promise<AuthEdge[]> {
    const citing: AuthEdge[] = [];
    for (let at = 0; at < nids.length; at += NIDS_PER_QUERY)
      citing.push(...(await this.#db.all(authEdgesTo, { nids: nids.slice(at, at + NIDS_PER_QUERY) })));
    return citing;
  }

  /**
   * The node of a state event that is about to be stored. It goes on a chain only at its end: a chain that forked would
   * make R16's pruning wrong.
   */
  async plan(nid: number, skey: number, authNids: readonly number[]): Promise<AuthNode> {
    const auth = await this.nodes(authNids);
    let adepth = 0;
    let previous: AuthNode | undefined;
    for (const node of auth.values()) {
      adepth = Math.max(adepth, node.adepth + 1);
      if (previous === undefined && node.skey === skey && (await this.#tipOf(node)) === node.seq) previous = node;
    }
    const chain = previous?.chain ?? nid;
    return { nid, skey, adepth, chain, seq: previous === undefined ? 1 : previous.seq + 1, auth: [...auth.keys()] };
  }

  emit(unit: UnitBuilder, node: AuthNode): void {
    const { nid, skey, adepth, chain, seq } = node;
    unit.run(insertAuthNode, { nid, room: this.#room, skey, adepth, chain, seq, auth: encodeNumbers(node.auth) });
    for (const authNid of node.auth) unit.run(insertAuthEdge, { authNid, nid });
  }

  /** Its unit was handed in. */
  added(node: AuthNode, pin: Pin): void {
    this.#nodes.wrote(node.nid, node, pin);
    this.#tips.wrote(node.chain, node.seq, pin);
  }

  /** Nodes were deleted. */
  clear(): void {
    this.#nodes.clear();
    this.#tips.clear();
  }

  async #tipOf(node: AuthNode): Promise<number> {
    const known = this.#tips.get(node.chain);
    if (known !== undefined) return known;
    const tip = (await this.#db.one(authChainTips, { chains: [node.chain] }))?.seq ?? node.seq;
    this.#tips.keep(node.chain, tip);
    return tip;
  }

  #keep(row: AuthNodeRow): AuthNode {
    const { nid, skey, adepth, chain, seq } = row;
    const node: AuthNode = { nid, skey, adepth, chain, seq, auth: decodeNumbers(row.auth) };
    this.#nodes.keep(nid, node);
    return node;
  }
}
