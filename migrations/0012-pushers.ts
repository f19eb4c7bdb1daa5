/** Where users want to be notified. */
import type { Kysely } from 'kysely';
import { ddl } from '../src/storage/ddl.ts';

export async function up(db: Kysely<never>): Promise<void> {
  await ddl(db, [
    // device: whose session set it last, and with which it goes; NULL = it stays until it is removed (e-mail).
    // told_pos, behind: see src/storage/stores/pusher-store.ts
    `CREATE TABLE pusher (pusher INTEGER PRIMARY KEY, user_nid INTEGER NOT NULL, app_id TEXT NOT NULL, pushkey TEXT NOT NULL,
      kind TEXT NOT NULL, app_display_name TEXT NOT NULL, device_display_name TEXT NOT NULL, profile_tag TEXT, lang TEXT NOT NULL,
      data TEXT NOT NULL, enabled INTEGER NOT NULL, device INTEGER, pushkey_ts INTEGER NOT NULL, told_pos INTEGER NOT NULL, behind INTEGER NOT NULL)`,
    `CREATE UNIQUE INDEX pusher_by_key ON pusher (app_id, pushkey, user_nid)`,
    `CREATE INDEX pusher_by_user ON pusher (user_nid)`,
    `CREATE INDEX pusher_by_device ON pusher (device) WHERE device IS NOT NULL`,
  ]);
}
