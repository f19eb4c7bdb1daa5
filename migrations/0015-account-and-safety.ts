/** E-mail addresses being confirmed, accounts that expire, accepted documents, and the rooms of the server's notices. */
import type { Kysely } from 'kysely';
import { ddl } from '../src/storage/ddl.ts';

export async function up(db: Kysely<never>): Promise<void> {
  await ddl(db, [
    // purpose: 'register' | 'reset' | 'add'; secret_hash: of the client's secret; token_hash: of what was sent to the mailbox,
    // NULL = the message told something else, and nothing confirms the address
    `CREATE TABLE email_session (sid TEXT PRIMARY KEY, purpose TEXT NOT NULL, address TEXT NOT NULL, secret_hash BLOB NOT NULL,
      token_hash BLOB, send_attempt INTEGER NOT NULL, next_link TEXT, expires_ts INTEGER NOT NULL, validated_ts INTEGER,
      UNIQUE (purpose, address, secret_hash)) WITHOUT ROWID`,
    `CREATE INDEX email_session_by_expiry ON email_session (expires_ts)`,
    // reminded: whether the account's owner was told that it expires; token_hash: of the link that renews it
    `CREATE TABLE account_validity (user_nid INTEGER PRIMARY KEY, expires_ts INTEGER NOT NULL, reminded INTEGER NOT NULL,
      token_hash BLOB)`,
    `CREATE INDEX account_validity_by_expiry ON account_validity (expires_ts)`,
    `CREATE UNIQUE INDEX account_validity_by_token ON account_validity (token_hash)`,
    // the versions of documents that a user accepted
    `CREATE TABLE consent (user_nid INTEGER NOT NULL, document TEXT NOT NULL, version TEXT NOT NULL, ts INTEGER NOT NULL,
      PRIMARY KEY (user_nid, document, version)) WITHOUT ROWID`,
    // the room in which the server writes to a user
    `CREATE TABLE notice_room (user_nid INTEGER PRIMARY KEY, room_id TEXT NOT NULL UNIQUE)`,
  ]);
}
