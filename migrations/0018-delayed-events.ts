/** Events that are sent later. */
import type { Kysely } from 'kysely';
import { ddl } from '../src/storage/ddl.ts';

export async function up(db: Kysely<never>): Promise<void> {
  await ddl(db, [
    // content: JSON text as it was given. sticky_ms: how long the event is to be sticky. device, txn_path, txn: of the request that
    // scheduled it. send_at: scheduled_at + delay_ms. Once it is finalised: finalised_ts, and event_nid and event_id when it was
    // sent, error (JSON text) when it could not be; neither when it was cancelled.
    `CREATE TABLE delayed_event (delay_id TEXT PRIMARY KEY, user_nid INTEGER NOT NULL, room INTEGER NOT NULL, type TEXT NOT NULL,
      state_key TEXT, content TEXT NOT NULL, sticky_ms INTEGER, delay_ms INTEGER NOT NULL, scheduled_at INTEGER NOT NULL,
      send_at INTEGER NOT NULL, device INTEGER NOT NULL, txn_path TEXT, txn TEXT, finalised_ts INTEGER, event_nid INTEGER,
      event_id TEXT, error TEXT) WITHOUT ROWID`,
    `CREATE INDEX delayed_event_by_time ON delayed_event (send_at, delay_id) WHERE finalised_ts IS NULL`,
    `CREATE INDEX delayed_event_by_user ON delayed_event (user_nid, send_at) WHERE finalised_ts IS NULL`,
    `CREATE INDEX delayed_event_by_state ON delayed_event (room, type, state_key) WHERE finalised_ts IS NULL AND state_key IS NOT NULL`,
    `CREATE UNIQUE INDEX delayed_event_by_txn ON delayed_event (device, txn_path, txn) WHERE txn IS NOT NULL`,
    `CREATE INDEX delayed_event_by_event ON delayed_event (event_nid) WHERE event_nid IS NOT NULL`,
    `CREATE INDEX delayed_event_finalised ON delayed_event (finalised_ts) WHERE finalised_ts IS NOT NULL`,
    `CREATE INDEX delayed_event_finalised_by_user ON delayed_event (user_nid, finalised_ts) WHERE finalised_ts IS NOT NULL`,
  ]);
}
