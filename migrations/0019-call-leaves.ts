/** Delayed events that end somebody's part in a call, and that this server looks after for them. */
import type { Kysely } from 'kysely';
import { ddl } from '../src/storage/ddl.ts';

export async function up(db: Kysely<never>): Promise<void> {
  await ddl(db, [
    // livekit_room, identity: as LiveKit knows the room and the member
    `CREATE TABLE call_leave (livekit_room TEXT NOT NULL, identity TEXT NOT NULL, delay_id TEXT NOT NULL, user_nid INTEGER NOT NULL,
      PRIMARY KEY (livekit_room, identity)) WITHOUT ROWID`,
  ]);
}
