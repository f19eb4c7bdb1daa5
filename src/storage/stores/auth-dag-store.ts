/**
 * The graph of auth events: a node for each state event, accepted or not, with or without a place in the room's DAG.
 * https://spec.matrix.org/v1.19/server-server-api/#auth-events-selection
 */
import { sql } from 'kysely';
import { defineRead, defineWrite, jsonInteger, jsonRows } from '../query.ts';

/**
 * `chain` and `seq`: a chain is a linear run of events of one state key, each of which refers to the one before; it is
 * named after its first event. `adepth`: one more than the deepest auth event, 0 for none.
 */
export interface AuthNodeRow {
  nid: number;
  skey: number;
  adepth: number;
  chain: number;
  seq: number;
  auth: Buffer;
}

export const authNodes = defineRead<{ nids: number[] }, AuthNodeRow>('authNode.byNids', (q, p) =>
  q
    .selectFrom('auth_node')
    .select(['nid', 'skey', 'adepth', 'chain', 'seq', 'auth'])
    .where('nid', 'in', p.list('nids')),
);

/** Stretches of chains. `rows`: JSON text of a list of [chain, seq above which, seq up to which]. */
export const authChainStretches = defineRead<{ rows: string }, Pick<AuthNodeRow, 'nid' | 'auth'>>(
  'authNode.chainStretches',
  (q, p) => sql<Pick<AuthNodeRow, 'nid' | 'auth'>>`
    with wanted(chain, above, up_to) as materialized (
      select ${jsonInteger(0)}, ${jsonInteger(1)}, ${jsonInteger(2)} from ${jsonRows(q, p.rows)})
    select n.nid, n.auth from wanted as w cross join auth_node as n
    where n.chain = w.chain and n.seq > w.above and n.seq <= w.up_to`,
);

/** The newest node of each chain. */
export const authChainTips = defineRead<{ chains: number[] }, { chain: number; seq: number }>(
  'authNode.chainTips',
  (q, p) =>
    q
      .selectFrom('auth_node')
      .select(['chain', (eb) => eb.fn.max('seq').as('seq')])
      .where('chain', 'in', p.list('chains'))
      .groupBy('chain'),
);

/** The state events that refer to these as their auth events. */
export const authEdgesTo = defineRead<{ nids: number[] }, { auth_nid: number; nid: number }>('authEdge.to', (q, p) =>
  q.selectFrom('auth_edge').select(['auth_nid', 'nid']).where('auth_nid', 'in', p.list('nids')),
);

export const insertAuthNode = defineWrite<AuthNodeRow & { room: number }>('authNode.insert', (q, p) =>
  q.insertInto('auth_node').values({
    nid: p.nid,
    room: p.room,
    skey: p.skey,
    adepth: p.adepth,
    chain: p.chain,
    seq: p.seq,
    auth: p.auth,
  }),
);

export const insertAuthEdge = defineWrite<{ authNid: number; nid: number }>('authEdge.insert', (q, p) =>
  q.insertInto('auth_edge').values({ auth_nid: p.authNid, nid: p.nid }),
);
