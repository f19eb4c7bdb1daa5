/** The auth chains of random graphs, against a walk from event to event. */
import { expect, it } from 'vitest';
import { AuthGraph } from '../../../src/rooms/dag/auth-graph.ts';
import { loadAuthChain, loadAuthClosure } from '../../../src/rooms/dag/auth-chain.ts';
import type { Database } from '../../../src/storage/database.ts';
import { describeOnBothEngines } from '../../support/databases.ts';
import { seededRandom } from '../../support/test-ports.ts';
import { WatchedDatabase } from '../../support/watched-database.ts';

const noPause = (): Promise<void> => Promise.resolve();

/** Events cite some that came before, mostly the newest of their own key. */
async function randomGraph(db: Database, seed: number, count: number): Promise<ReadonlyMap<number, readonly number[]>> {
  const random = seededRandom(seed);
  const graph = new AuthGraph(db, 1);
  const cites = new Map<number, readonly number[]>();
  const newest = new Map<number, number>();
  for (let index = 0; index < count; index++) {
    const nid = db.nextId();
    const skey = 1 + random.int(8);
    const earlier = [...cites.keys()];
    const some = Array.from({ length: random.int(4) }, () => earlier[random.int(Math.max(earlier.length, 1))]);
    const own = random.int(4) === 0 ? undefined : newest.get(skey);
    const auth = [...new Set([...some, own])].filter((cited) => cited !== undefined);
    const node = await graph.plan(nid, skey, auth);
    await db.write((unit) => graph.emit(unit, node)).committed;
    graph.added(node, { settled: true });
    cites.set(nid, auth);
    newest.set(skey, nid);
  }
  return cites;
}

function closure(cites: ReadonlyMap<number, readonly number[]>, starts: Iterable<number>): Set<number> {
  const found = new Set(starts);
  for (const nid of found) for (const cited of cites.get(nid) ?? []) found.add(cited);
  return found;
}

describeOnBothEngines('auth chains', (engine) => {
  it('are those that a walk from event to event finds', { timeout: 60_000 }, async () => {
    const db = await engine.open();
    for (let seed = 1; seed <= 10; seed++) {
      const cites = await randomGraph(db, seed, 60);
      const random = seededRandom(`starts ${seed}`);
      const events = [...cites.keys()];
      const starts = events.filter(() => random.int(5) === 0);
      const direct = starts.flatMap((nid) => cites.get(nid) ?? []);
      expect(await loadAuthClosure(db, starts, noPause)).toEqual(closure(cites, starts));
      expect(await loadAuthChain(db, starts, noPause)).toEqual(closure(cites, direct));
    }
  });

  it('take as many queries for a long history of one key as for a short one', async () => {
    const db = new WatchedDatabase(await engine.open());
    const graph = new AuthGraph(db, 1);
    let last: number | undefined;
    const nids: number[] = [];
    for (let index = 0; index < 300; index++) {
      const nid = db.nextId();
      const node = await graph.plan(nid, 1, last === undefined ? [] : [last]);
      await db.write((unit) => graph.emit(unit, node)).committed;
      graph.added(node, { settled: true });
      nids.push((last = nid));
    }
    let pauses = 0;
    const chain = await loadAuthChain(db, [last ?? 0], async () => void pauses++);
    expect(chain).toEqual(new Set(nids.slice(0, -1)));
    expect(pauses).toBe(2);
  });
});
