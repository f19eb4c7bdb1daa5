/** What other servers sent: transactions that were answered, and events that wait for what they refer to. */
import type { Kysely } from 'kysely';
import { ddl } from '../src/storage/ddl.ts';

export async function up(db: Kysely<never>): Promise<void> {
  await ddl(db, [
    // of each server the last few, each in a slot that is used again
    `CREATE TABLE received_transaction (server_nid INTEGER NOT NULL, slot INTEGER NOT NULL, txn TEXT NOT NULL, ts INTEGER NOT NULL,
      answer TEXT NOT NULL, PRIMARY KEY (server_nid, slot)) WITHOUT ROWID`,
    // format: first byte of body, as for event_body
    `CREATE TABLE staged_pdu (room INTEGER NOT NULL, event_id TEXT NOT NULL, nid INTEGER NOT NULL, server_nid INTEGER NOT NULL,
      ts INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY (room, event_id)) WITHOUT ROWID`,
  ]);
}
