/** Tokens by which people show other services who they are. Stored as SHA-256 hashes only. */
import type { Kysely } from 'kysely';
import { ddl } from '../src/storage/ddl.ts';

export async function up(db: Kysely<never>): Promise<void> {
  await ddl(db, [
    `CREATE TABLE openid_token (token_hash BLOB PRIMARY KEY, user_nid INTEGER NOT NULL, expires_ts INTEGER NOT NULL) WITHOUT ROWID`,
    `CREATE INDEX openid_token_by_user ON openid_token (user_nid, expires_ts)`,
    `CREATE INDEX openid_token_by_expiry ON openid_token (expires_ts)`,
  ]);
}
