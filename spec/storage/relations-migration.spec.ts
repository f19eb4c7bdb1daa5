import { type Kysely, sql } from 'kysely';
import { expect, it } from 'vitest';
import type { JsonObject } from '../../src/matrix/json/json-value.ts';
import { encodeEventBody } from '../../src/storage/event-body.ts';
import { loadMigrations, migrate, migrationsFolder } from '../../src/storage/migrate.ts';
import { openDatabase } from '../../src/storage/open.ts';
import { openPostgresEngine } from '../../src/storage/postgres/postgres-engine.ts';
import { openSqliteEngine } from '../../src/storage/sqlite/open-sqlite.ts';
import { childrenForwards } from '../../src/storage/stores/relation-store.ts';
import { threadsBackwards } from '../../src/storage/stores/thread-store.ts';
import { describeOnBothEngines } from '../support/databases.ts';
import { testPorts } from '../support/test-ports.ts';

const migrations = await loadMigrations(migrationsFolder);

describeOnBothEngines('the migration of relations', (engine) => {
  it('carries over what an older program stored', async () => {
    const options = await engine.freshOptions();
    const old = async (db: Kysely<never>): Promise<void> => {
      await migrate(db, migrations.slice(0, 5));
      await store(db, 1, '$root', {});
      await store(db, 2, '$message', { 'm.relates_to': { rel_type: 'm.thread', event_id: '$root' } });
      const relation = { rel_type: 'm.annotation', event_id: '$message', key: 'x' };
      await store(db, 3, '$reaction', { 'm.relates_to': relation });
      await store(db, 4, '$redacted', {}, { relType: 'm.thread', targetId: '$root' });
    };
    const before = await (options.engine === 'sqlite'
      ? openSqliteEngine(options, testPorts(), old)
      : openPostgresEngine(options, old));
    await before.close();
    const db = await openDatabase(options, testPorts());
    const wanted = { room: 7, targetId: '$root', after: 0, before: 1_000_000, limit: 10 };
    expect((await db.all(childrenForwards.direct, wanted)).map(({ nid }) => nid)).toEqual([2]);
    expect((await db.all(childrenForwards.second, wanted)).map(({ nid }) => nid)).toEqual([3]);
    expect(await db.all(threadsBackwards, { room: 7, before: 1_000_000, limit: 10 })).toEqual([
      { root_id: '$root', latest_ord: 2048 },
    ]);
    await db.close();
  });
});

async function store(
  db: Kysely<never>,
  nid: number,
  eventId: string,
  content: JsonObject,
  named = content['m.relates_to'] as { rel_type: string; event_id: string } | { relType: string; targetId: string },
): Promise<void> {
  const body = encodeEventBody(JSON.stringify({ content, type: 'm.room.message' }));
  await sql`insert into event (nid, event_id, room, ord, pos, type, sender, ts, depth, flags, notify_seq)
    values (${nid}, ${eventId}, 7, ${nid * 1024}, ${nid}, 'm.room.message', 9, 1, 1, 0, 0)`.execute(db);
  await sql`insert into event_body (nid, body) values (${nid}, ${body})`.execute(db);
  if (named === undefined) return;
  const [relType, targetId] = 'relType' in named ? [named.relType, named.targetId] : [named.rel_type, named.event_id];
  await sql`insert into relation (target_id, rel_type, nid, room) values (${targetId}, ${relType}, ${nid}, 7)`.execute(
    db,
  );
}
