import { afterEach, expect, it } from 'vitest';
import { type Commit, UnitFailed } from '../../src/storage/database.ts';
import type { GroupCommitDatabase } from '../../src/storage/group-commit.ts';
import { openDatabase } from '../../src/storage/open.ts';
import { administration, onPostgres, type TestEngine } from '../support/databases.ts';
import { testPorts } from '../support/test-ports.ts';
import { CuttingProxy } from './support/cutting-proxy.ts';
import { addPair, allPairs, pairs, takePairs } from './support/scratch-queries.ts';

onPostgres('a lost connection to PostgreSQL', (engine) => {
  const running: { db: GroupCommitDatabase; proxy: CuttingProxy }[] = [];
  afterEach(async () => {
    for (const { db, proxy } of running.splice(0)) {
      await db.close();
      proxy.stop();
    }
  });
  const openThroughProxy = async (): Promise<{ db: GroupCommitDatabase; proxy: CuttingProxy }> => {
    const { proxy, url } = await proxyFor(engine);
    const db = await openDatabase({ engine: 'postgres', url }, testPorts());
    running.push({ db, proxy });
    return { db, proxy };
  };

  it('does not harm what comes later', async () => {
    const db = await engine.open();
    await db.write((unit) => unit.run(addPair, { room: 1, nid: 1 })).committed;
    await db.all(pairs, { room: 1 });
    await endConnections(db, engine);
    await db
      .write((unit) => unit.run(addPair, { room: 1, nid: 2 }))
      .committed.catch((error: unknown) => {
        // it was noticed only when this unit was sent
        expect(error).toBeInstanceOf(UnitFailed);
      });
    await db.write((unit) => unit.run(addPair, { room: 1, nid: 3 })).committed;
    const read = await db.all(pairs, { room: 1 });
    expect(read).toContainEqual({ nid: 1 });
    expect(read).toContainEqual({ nid: 3 });
  });

  it('before the commit arrives fails the units in flight, and those that waited', async () => {
    const { db, proxy } = await openThroughProxy();
    await db.write((unit) => unit.run(addPair, { room: 1, nid: 1 })).committed;
    proxy.cut = { text: 'commit', when: 'before it arrives' };
    const tickets = Array.from({ length: 600 }, (_, index) =>
      db.write((unit) => unit.run(addPair, { room: 2, nid: index })),
    );
    const settled = await Promise.allSettled(tickets.map((ticket) => ticket.committed));
    expect(new Set(settled.map(({ status }) => status))).toEqual(new Set(['rejected']));
    await db.write((unit) => unit.run(addPair, { room: 1, nid: 2 })).committed;
    expect(await db.all(allPairs, {})).toEqual([
      { room: 1, nid: 1 },
      { room: 1, nid: 2 },
    ]);
  });

  it('before the commit is answered changes nothing: the database is asked what became of it', async () => {
    const { db, proxy } = await openThroughProxy();
    await db.write((unit) => unit.run(addPair, { room: 1, nid: 1 })).committed;
    const commits: Commit[] = [];
    db.onCommitted((commit) => commits.push(commit));
    proxy.cut = { text: 'commit', when: 'before it is answered' };
    const { rows, changes } = await db.write((unit) => {
      unit.nextPos();
      unit.run(takePairs, { room: 1 });
      unit.run(addPair, { room: 1, nid: 2 });
    }).committed;
    expect(proxy.cut).toBeUndefined();
    expect(rows).toEqual([[{ nid: 1 }], []]);
    expect(changes).toEqual([1, 1]);
    expect(commits.map(({ pos }) => pos)).toEqual([1]);
    expect(await db.all(allPairs, {})).toEqual([{ room: 1, nid: 2 }]);
  });

  it('while statements run fails the unit', async () => {
    const { db, proxy } = await openThroughProxy();
    proxy.cut = { text: 'begin', when: 'before it is answered' };
    const lost = db.write((unit) => unit.run(addPair, { room: 1, nid: 1 }));
    await expect(lost.committed).rejects.toThrow(UnitFailed);
    await db.write((unit) => unit.run(addPair, { room: 1, nid: 2 })).committed;
    expect(await db.all(allPairs, {})).toEqual([{ room: 1, nid: 2 }]);
  });

  it('that cannot be made again is told to each unit until it can', async () => {
    const { db, proxy } = await openThroughProxy();
    await db.write((unit) => unit.run(addPair, { room: 1, nid: 1 })).committed;
    proxy.refuse = true;
    await expect(db.write((unit) => unit.run(addPair, { room: 1, nid: 2 })).committed).rejects.toThrow(UnitFailed);
    await expect(db.write((unit) => unit.run(addPair, { room: 1, nid: 3 })).committed).rejects.toThrow(UnitFailed);
    proxy.refuse = false;
    await db.write((unit) => unit.run(addPair, { room: 1, nid: 4 })).committed;
    expect(await db.all(allPairs, {})).toEqual([
      { room: 1, nid: 1 },
      { room: 1, nid: 4 },
    ]);
  });
});

async function proxyFor(engine: TestEngine): Promise<{ proxy: CuttingProxy; url: string }> {
  const options = await engine.freshOptions();
  if (options.engine !== 'postgres') throw new Error('PostgreSQL was expected');
  const url = new URL(options.url.replace('@/', '@localhost/'));
  const proxy = await CuttingProxy.start(url.searchParams.get('host') ?? '');
  return { proxy, url: options.url.replace(/host=.*/, `host=${encodeURIComponent(proxy.folder)}`) };
}

/** As when the server was restarted: every connection to the database ends. */
async function endConnections(db: GroupCommitDatabase, engine: TestEngine): Promise<void> {
  const options = engine.optionsOf(db);
  if (options.engine !== 'postgres') throw new Error('PostgreSQL was expected');
  const [, name] = /\/(\w+)\?/.exec(options.url) ?? [];
  const client = await administration();
  await client.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1', [name]);
}
