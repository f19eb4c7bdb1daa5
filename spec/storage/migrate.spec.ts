import { expect, it } from 'vitest';
import { ddl } from '../../src/storage/ddl.ts';
import type { GroupCommitDatabase } from '../../src/storage/group-commit.ts';
import { DatabaseRefused, type Migration, loadMigrations, migrate } from '../../src/storage/migrate.ts';
import { type DatabaseOptions, openDatabase } from '../../src/storage/open.ts';
import { openPostgresEngine } from '../../src/storage/postgres/postgres-engine.ts';
import { bindServerName, findServerFact, setServerFact } from '../../src/storage/server-facts.ts';
import { openSqliteEngine } from '../../src/storage/sqlite/open-sqlite.ts';
import { describeOnBothEngines } from '../support/databases.ts';
import { testPorts } from '../support/test-ports.ts';

const migrations = await loadMigrations(new URL('../../migrations/', import.meta.url));

describeOnBothEngines('migrations', (engine) => {
  it('bring an empty database to the newest schema, once', async () => {
    const options = await engine.freshOptions();
    for (let start = 0; start < 2; start++) {
      const db = await openDatabase(options, testPorts());
      expect(await findServerFact(db, 'schema_version')).toBe(String(migrations.length));
      await db.close();
    }
  });

  it('are numbered without gaps from 1', () => {
    expect(migrations.map(({ version }) => version)).toEqual(migrations.map((_, index) => index + 1));
  });

  it('happen whole or not at all, and go on where they stopped', async () => {
    const options = await engine.freshOptions();
    const next = migrations.length + 1;
    const failing: Migration = {
      version: next,
      name: 'failing',
      up: (db) => ddl(db, ['CREATE TABLE half_done (id INTEGER PRIMARY KEY)', 'CREATE TABLE nonsense (']),
    };
    await expect(migrateOnly(options, [...migrations, failing])).rejects.toThrow(/syntax error|incomplete input/);
    const repaired: Migration = {
      ...failing,
      up: (db) => ddl(db, ['CREATE TABLE half_done (id INTEGER PRIMARY KEY)']),
    };
    await migrateOnly(options, [...migrations, repaired]);
    const db = await openDatabase(options, testPorts());
    expect(await findServerFact(db, 'schema_version')).toBe(String(next));
    await db.close();
  });

  it('refuse a database that a newer program has changed, in a sentence that says what to do', async () => {
    const db = await engine.open({ reopenable: true });
    await setServerFact(db, 'schema_version', '9001');
    await setServerFact(db, 'schema_compatible_version', '9000');
    const reopened: Promise<GroupCommitDatabase> = engine.reopen(db);
    await expect(reopened).rejects.toThrow(DatabaseRefused);
    await expect(reopened).rejects.toThrow(
      /newer version of veche: its schema is 9001.* 9000 on understand.*run the newer version or restore a backup/,
    );
  });

  it('accept a newer database that this program still understands, and leave it as it is', async () => {
    const db = await engine.open({ reopenable: true });
    await setServerFact(db, 'schema_version', '9001');
    const again = await engine.reopen(db);
    expect(await findServerFact(again, 'schema_version')).toBe('9001');
  });
});

describeOnBothEngines("a database's server name", (engine) => {
  it('is set by the first start, and another is refused in a sentence', async () => {
    const db = await engine.open({ reopenable: true });
    await bindServerName(db, 'example.org');
    const again = await engine.reopen(db);
    await bindServerName(again, 'example.org');
    await expect(bindServerName(again, 'example.com')).rejects.toThrow(DatabaseRefused);
    await expect(bindServerName(again, 'example.com')).rejects.toThrow(
      'the database belongs to the server example.org, and the configuration says server_name: example.com',
    );
    expect(await findServerFact(again, 'server_name')).toBe('example.org');
  });
});

async function migrateOnly(options: DatabaseOptions, some: readonly Migration[]): Promise<void> {
  const engine = await (options.engine === 'sqlite'
    ? openSqliteEngine(options, testPorts(), (db) => migrate(db, some))
    : openPostgresEngine(options, (db) => migrate(db, some)));
  await engine.close();
}
