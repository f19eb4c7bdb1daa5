/** Local accounts, their devices, tokens and settings. Tokens are stored as SHA-256 hashes only. */
import type { Kysely } from 'kysely';
import { ddl } from '../src/storage/ddl.ts';

export async function up(db: Kysely<never>): Promise<void> {
  await ddl(db, [
    // kind: 'user' | 'guest' | 'appservice'; user_type: 'bot' | 'support', for administrators only;
    // password_hash: PHC string, NULL = no password
    `CREATE TABLE account (user_nid INTEGER PRIMARY KEY, localpart TEXT NOT NULL, kind TEXT NOT NULL, user_type TEXT,
      password_hash TEXT, admin INTEGER NOT NULL, created_ts INTEGER NOT NULL, deactivated_ts INTEGER, erased INTEGER NOT NULL,
      locked INTEGER NOT NULL, suspended INTEGER NOT NULL, shadow_banned INTEGER NOT NULL)`,
    // device_nid is never used again after a deletion, so a token of a deleted device cannot come back to life
    `CREATE TABLE device (device_nid INTEGER PRIMARY KEY, user_nid INTEGER NOT NULL, device_id TEXT NOT NULL, display_name TEXT,
      created_ts INTEGER NOT NULL, last_seen_ts INTEGER, last_seen_ip TEXT, last_seen_user_agent TEXT, UNIQUE (user_nid, device_id))`,
    // refresh_hash: the refresh token by which this one was obtained, until the first use of this one revokes it
    `CREATE TABLE access_token (token_hash BLOB PRIMARY KEY, device_nid INTEGER NOT NULL, user_nid INTEGER NOT NULL,
      expires_ts INTEGER, refresh_hash BLOB, created_ts INTEGER NOT NULL) WITHOUT ROWID`,
    `CREATE INDEX access_token_by_device ON access_token (device_nid)`,
    `CREATE INDEX access_token_by_user ON access_token (user_nid)`,
    // next_hash: set when the token was used: its successor. The old one stays valid until the new one is used (spec: refreshing)
    `CREATE TABLE refresh_token (token_hash BLOB PRIMARY KEY, device_nid INTEGER NOT NULL, user_nid INTEGER NOT NULL,
      next_hash BLOB, created_ts INTEGER NOT NULL) WITHOUT ROWID`,
    `CREATE INDEX refresh_token_by_device ON refresh_token (device_nid)`,
    `CREATE TABLE login_token (token_hash BLOB PRIMARY KEY, user_nid INTEGER NOT NULL, expires_ts INTEGER NOT NULL) WITHOUT ROWID`,
    // pending: always 0 here; who is just registering is counted in memory, so that a crash leaves nothing to undo
    `CREATE TABLE registration_token (token TEXT PRIMARY KEY, uses_allowed INTEGER, pending INTEGER NOT NULL, completed INTEGER NOT NULL,
      expiry_ts INTEGER) WITHOUT ROWID`,
    // value: JSON text; displayname, avatar_url and extended profile fields alike
    `CREATE TABLE profile_field (user_nid INTEGER NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (user_nid, name)) WITHOUT ROWID`,
    `CREATE TABLE filter (user_nid INTEGER NOT NULL, filter_id INTEGER NOT NULL, json TEXT NOT NULL, PRIMARY KEY (user_nid, filter_id)) WITHOUT ROWID`,
    // rulesets are interned: most users of an institution share a handful (§2.6). hash = sha256 of the canonical JSON
    `CREATE TABLE push_ruleset (hash BLOB PRIMARY KEY, json TEXT NOT NULL) WITHOUT ROWID`,
    `CREATE TABLE user_push_ruleset (user_nid INTEGER PRIMARY KEY, hash BLOB NOT NULL, pos INTEGER NOT NULL)`,
    `CREATE TABLE threepid (medium TEXT NOT NULL, address TEXT NOT NULL, user_nid INTEGER NOT NULL, added_ts INTEGER NOT NULL,
      validated_ts INTEGER NOT NULL, PRIMARY KEY (medium, address)) WITHOUT ROWID`,
    `CREATE INDEX threepid_by_user ON threepid (user_nid)`,
  ]);
}
