/** Rooms that were joined before their members were known. */
import type { Kysely } from 'kysely';
import { ddl } from '../src/storage/ddl.ts';

export async function up(db: Kysely<never>): Promise<void> {
  await ddl(db, [
    // event_id: of our join; started_ts: in milliseconds; filled_pos: from which position on the state is whole, NULL: it is not
    `CREATE TABLE partial_room (room INTEGER PRIMARY KEY, event_id TEXT NOT NULL, started_ts INTEGER NOT NULL, filled_pos INTEGER)`,
    // those that were in the room when it was joined, until the members are known; rank: the order in which they are asked
    `CREATE TABLE partial_room_server (room INTEGER NOT NULL, server_nid INTEGER NOT NULL, rank INTEGER NOT NULL,
      PRIMARY KEY (room, server_nid)) WITHOUT ROWID`,
  ]);
}
