/** Which events name which files; and one table for all who derive something from events. */
import type { Kysely } from 'kysely';
import { ddl } from '../src/storage/ddl.ts';

export async function up(db: Kysely<never>): Promise<void> {
  await ddl(db, [
    // Of events that are in a timeline, not encrypted and not redacted. nid: the event; role 0: content, 1: picture of the
    // room, 2: picture of a member
    `CREATE TABLE media_reference (origin TEXT NOT NULL, media_id TEXT NOT NULL, nid INTEGER NOT NULL, room INTEGER NOT NULL,
      sender INTEGER NOT NULL, role INTEGER NOT NULL, PRIMARY KEY (origin, media_id, nid)) WITHOUT ROWID`,
    `CREATE INDEX media_reference_by_event ON media_reference (nid)`,
    `CREATE INDEX media_reference_by_room ON media_reference (room, origin, media_id) WHERE role < 2`,
    // Everything up to pos is derived. While target is set, what lies between is being looked for, room by room, and has been
    // found up to ord in room.
    `CREATE TABLE stream_progress (follower TEXT PRIMARY KEY, pos INTEGER NOT NULL, target INTEGER, room INTEGER NOT NULL,
      ord INTEGER NOT NULL) WITHOUT ROWID`,
    `INSERT INTO stream_progress (follower, pos, target, room, ord) SELECT 'search', pos, target, room, ord FROM search_progress`,
    `DROP TABLE search_progress`,
  ]);
}
