/** Full-text search of messages. The words come ready from src/matrix/text/words.ts, so neither engine is asked to find them. */
import { type Kysely, PostgresAdapter, sql } from 'kysely';
import { ddl } from '../src/storage/ddl.ts';

export async function up(db: Kysely<never>): Promise<void> {
  const postgres = db.getExecutor().adapter instanceof PostgresAdapter;
  // One entry for each event that can be searched, under its nid: its words, and one that stands for its room. The text
  // itself is kept with the event only. The tokenizer splits at spaces, because words have no other ASCII signs.
  for (const text of postgres ? postgresIndex : sqliteIndex) await sql.raw(text).execute(db);
  await ddl(db, [
    // Everything up to pos is in the index. While target is set, what lies between is being looked for, room by room, and
    // has been found up to ord in room.
    `CREATE TABLE search_progress (id INTEGER PRIMARY KEY, pos INTEGER NOT NULL, target INTEGER, room INTEGER NOT NULL,
      ord INTEGER NOT NULL)`,
  ]);
}

const sqliteIndex = [
  `CREATE VIRTUAL TABLE search_entry USING fts5(words, content='', contentless_delete=1, tokenize='ascii')`,
];
const postgresIndex = [
  'CREATE TABLE search_entry (nid bigint PRIMARY KEY, words tsvector NOT NULL)',
  'CREATE INDEX search_entry_words ON search_entry USING gin (words)',
];
