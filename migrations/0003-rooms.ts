/** Rooms, who is in them, and what users keep about them. */
import type { Kysely } from 'kysely';
import { ddl } from '../src/storage/ddl.ts';

export async function up(db: Kysely<never>): Promise<void> {
  await ddl(db, [
    `CREATE TABLE room (room INTEGER PRIMARY KEY, room_id TEXT NOT NULL UNIQUE, version TEXT NOT NULL,
      main_line INTEGER NOT NULL, purge_pos INTEGER NOT NULL, partial_nid INTEGER, flags INTEGER NOT NULL)`,
    // local users: one row per (user, room) they ever had a membership in. Not touched by messages but for notify_read.
    // event: their current membership event; pos: since when their membership is what it is; read_ord: everything up to here is read
    // (a receipt, or their own last message); notify_read: the notify_seq there
    `CREATE TABLE user_room (user_nid INTEGER NOT NULL, room INTEGER NOT NULL, membership TEXT NOT NULL, event INTEGER NOT NULL,
      pos INTEGER NOT NULL, read_ord INTEGER NOT NULL, notify_read INTEGER NOT NULL, forgotten INTEGER NOT NULL, PRIMARY KEY (user_nid, room)) WITHOUT ROWID`,
    // all users, remote ones too: written on membership changes only
    `CREATE TABLE member_room (user_nid INTEGER NOT NULL, room INTEGER NOT NULL, membership TEXT NOT NULL,
      PRIMARY KEY (user_nid, room)) WITHOUT ROWID`,
    `CREATE INDEX member_room_by_room ON member_room (room, membership, user_nid)`,
    // how many users of a server are joined
    `CREATE TABLE room_server (room INTEGER NOT NULL, server_nid INTEGER NOT NULL, joined INTEGER NOT NULL,
      PRIMARY KEY (room, server_nid)) WITHOUT ROWID`,
    // stripped state that came with an invite or knock (our own invites: made at the time of the invite)
    `CREATE TABLE stripped_state (user_nid INTEGER NOT NULL, room INTEGER NOT NULL, json TEXT NOT NULL,
      PRIMARY KEY (user_nid, room)) WITHOUT ROWID`,
    `CREATE TABLE room_alias (alias TEXT PRIMARY KEY, room INTEGER NOT NULL, creator INTEGER NOT NULL) WITHOUT ROWID`,
    `CREATE INDEX room_alias_by_room ON room_alias (room)`,
    `CREATE TABLE published_room (room INTEGER PRIMARY KEY)`,
    // thread: '' = unthreaded, 'main', or a thread root's event id
    `CREATE TABLE receipt (user_nid INTEGER NOT NULL, room INTEGER NOT NULL, type TEXT NOT NULL, thread TEXT NOT NULL,
      event_id TEXT NOT NULL, ord INTEGER, ts INTEGER NOT NULL, pos INTEGER NOT NULL,
      PRIMARY KEY (user_nid, room, type, thread)) WITHOUT ROWID`,
    `CREATE INDEX receipt_by_room ON receipt (room, pos)`,
    // room = 0: global account data. Tags are the room's m.tag, the fully-read marker is m.fully_read. json NULL = deleted
    `CREATE TABLE account_data (user_nid INTEGER NOT NULL, room INTEGER NOT NULL, type TEXT NOT NULL, json TEXT,
      pos INTEGER NOT NULL, PRIMARY KEY (user_nid, room, type)) WITHOUT ROWID`,
    `CREATE INDEX account_data_by_pos ON account_data (user_nid, pos)`,
    // where a user's counts deviate from the room's: user_nid 0 = everybody in the room. notify: 1 where the user's rules notify
    // and the default ones do not; highlight: 1 where the event is highlighted for them
    `CREATE TABLE mention (user_nid INTEGER NOT NULL, room INTEGER NOT NULL, ord INTEGER NOT NULL, thread TEXT NOT NULL,
      notify INTEGER NOT NULL, highlight INTEGER NOT NULL, PRIMARY KEY (user_nid, room, ord)) WITHOUT ROWID`,
    `CREATE TABLE report (report INTEGER PRIMARY KEY, user_nid INTEGER NOT NULL, room INTEGER, event_id TEXT, target_user TEXT,
      reason TEXT, score INTEGER, ts INTEGER NOT NULL)`,
  ]);
}
