/** The children of a space without reading the rest of its state. */
import type { Kysely } from 'kysely';
import { ddl } from '../src/storage/ddl.ts';

export async function up(db: Kysely<never>): Promise<void> {
  await ddl(db, [`CREATE INDEX event_space_child ON event (room, skey) WHERE type = 'm.space.child'`]);
}
