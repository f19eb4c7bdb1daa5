/** What a database says about itself: which server it belongs to, which schema it has. */
import type { Database } from './database.ts';
import { DatabaseRefused } from './migrate.ts';
import { defineRead, defineWrite } from './query.ts';

/** Undefined when nobody has set it. */
export async function findServerFact(db: Database, name: string): Promise<string | undefined> {
  return (await db.one(serverFactByName, { name }))?.value;
}

export async function setServerFact(db: Database, name: string, value: string): Promise<void> {
  await db.write((unit) => unit.run(upsertServerFact, { name, value })).committed;
}

/**
 * Writes down whose database this is, at the first start. A database's users and rooms are named after their server, so
 * another name is refused: throws DatabaseRefused.
 */
export async function bindServerName(db: Database, serverName: string): Promise<void> {
  const bound = await findServerFact(db, 'server_name');
  if (bound === undefined) await setServerFact(db, 'server_name', serverName);
  else if (bound !== serverName)
    throw new DatabaseRefused(
      `the database belongs to the server ${bound}, and the configuration says server_name: ${serverName}; ` +
        `a server cannot be renamed: set server_name back, or use another database`,
    );
}

const serverFactByName = defineRead<{ name: string }, { value: string }>('serverFact.byName', (q, p) =>
  q.selectFrom('server_fact').select('value').where('name', '=', p.name),
);

export const upsertServerFact = defineWrite<{ name: string; value: string }>('serverFact.upsert', (q, p) =>
  q
    .insertInto('server_fact')
    .values({ name: p.name, value: p.value })
    .onConflict((conflict) => conflict.column('name').doUpdateSet({ value: p.value })),
);
