/** What everything else names: the server's own facts, sequences, and interned names. */
import type { Kysely } from 'kysely';
import { ddl } from '../src/storage/ddl.ts';

export async function up(db: Kysely<never>): Promise<void> {
  await ddl(db, [
    // facts about this database: server_name, schema_version, schema_compatible_version, ...
    `CREATE TABLE server_fact (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID`,
    // 'id' and 'pos': everything below reserved_until may have been handed out; a restart goes on from there
    `CREATE TABLE sequence (name TEXT PRIMARY KEY, reserved_until INTEGER NOT NULL) WITHOUT ROWID`,
    // 0 is nobody's id: account_data uses it for "no room"
    `INSERT INTO sequence (name, reserved_until) VALUES ('pos', 1), ('id', 1)`,
    // interned names: "user" is a reserved word in PostgreSQL, hence the plural of the look-up tables
    `CREATE TABLE user_name (user_nid INTEGER PRIMARY KEY, user_id TEXT NOT NULL UNIQUE, server_nid INTEGER NOT NULL)`,
    `CREATE TABLE server_name (server_nid INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE)`,
    `CREATE TABLE state_key (skey INTEGER PRIMARY KEY, type TEXT NOT NULL, key TEXT NOT NULL, UNIQUE (type, key))`,
  ]);
}
