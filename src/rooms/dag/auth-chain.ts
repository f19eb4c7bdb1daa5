/** The auth chains of stored events, however many: by levels of chains, not of events. */
import type { Reads } from '../../storage/snapshot.ts';
import { type AuthNodeRow, authChainStretches, authNodes } from '../../storage/stores/auth-dag-store.ts';
import { decodeNumbers } from './varint.ts';

const perQuery = 500;

/**
 * The numbers of all events in the auth chains of these state events; an event itself only where another one leads to it.
 * Grows with the events and their chains. `pause`: lets other work go on, after each of its queries.
 * https://spec.matrix.org/v1.19/server-server-api/#definitions
 */
export async function loadAuthChain(
  db: Pick<Reads, 'all'>,
  nids: readonly number[],
  pause: () => Promise<void>,
): Promise<Set<number>> {
  const cited = new Set<number>();
  for (let at = 0; at < nids.length; at += perQuery) {
    for (const { auth } of await db.all(authNodes, { nids: nids.slice(at, at + perQuery) }))
      for (const nid of decodeNumbers(auth)) cited.add(nid);
    await pause();
  }
  return loadAuthClosure(db, cited, pause);
}

/** Of events and everything in their auth chains, the numbers. */
export async function loadAuthClosure(
  db: Pick<Reads, 'all'>,
  nids: Iterable<number>,
  pause: () => Promise<void>,
): Promise<Set<number>> {
  const taken = new Set<number>();
  /** Up to which event of a chain everything is taken: each refers to the one before. */
  const reached = new Map<number, number>();
  let level = [...new Set(nids)];
  while (level.length > 0) {
    const next = new Set<number>();
    const take = ({ nid, auth }: Pick<AuthNodeRow, 'nid' | 'auth'>): void => {
      taken.add(nid);
      for (const cited of decodeNumbers(auth)) if (!taken.has(cited)) next.add(cited);
    };
    for (let at = 0; at < level.length; at += perQuery) {
      const nodes = await db.all(authNodes, { nids: level.slice(at, at + perQuery) });
      nodes.forEach(take);
      const rows = stretchesBelow(nodes, reached);
      if (rows.length > 0) (await db.all(authChainStretches, { rows: JSON.stringify(rows) })).forEach(take);
      await pause();
    }
    level = [...next].filter((nid) => !taken.has(nid));
  }
  return taken;
}

type Stretch = readonly [chain: number, above: number, upTo: number];

/** What the nodes' chains have below them that was not reached before; it is from now on. */
function stretchesBelow(nodes: readonly AuthNodeRow[], reached: Map<number, number>): Stretch[] {
  const before = new Map<number, number>();
  for (const { chain, seq } of nodes) {
    const at = reached.get(chain) ?? 0;
    if (seq <= at) continue;
    if (!before.has(chain)) before.set(chain, at);
    reached.set(chain, seq);
  }
  return [...before].map(([chain, at]) => [chain, at, (reached.get(chain) ?? at) - 1] as const).filter(isSome);
}

const isSome = ([, above, upTo]: Stretch): boolean => upTo > above;
