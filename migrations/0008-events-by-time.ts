/** The event of a room's timeline that is closest to a time, whatever order the times are in. */
import type { Kysely } from 'kysely';
import { ddl } from '../src/storage/ddl.ts';

export async function up(db: Kysely<never>): Promise<void> {
  await ddl(db, ['CREATE INDEX event_by_ts ON event (room, ts, ord) WHERE ord IS NOT NULL']);
}
