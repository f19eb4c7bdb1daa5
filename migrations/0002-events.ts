/**
 * Events, their DAGs and the state of rooms.
 * The state tables follow rules R1 to R16 of docs/decisions/0003-state-line.md.
 */
import type { Kysely } from 'kysely';
import { ddl } from '../src/storage/ddl.ts';

export async function up(db: Kysely<never>): Promise<void> {
  await ddl(db, [
    // flags: see src/storage/event-flags.ts. ord = pos * 1024 for events that came in live, between neighbours for
    // backfilled ones, and that of a later position for those that were rejected first and accepted later.
    // sline/spos: the point of the state AFTER the event; NULL = main line at pos (R2).
    // notify_seq: how many events of the room up to and including this one the default push rules notify for.
    `CREATE TABLE event (
      nid INTEGER PRIMARY KEY, event_id TEXT NOT NULL, room INTEGER NOT NULL, ord INTEGER, pos INTEGER,
      type TEXT NOT NULL, sender INTEGER NOT NULL, skey INTEGER, ts INTEGER NOT NULL, depth INTEGER NOT NULL,
      sline INTEGER, spos INTEGER, flags INTEGER NOT NULL, redacted_by INTEGER, notify_seq INTEGER NOT NULL)`,
    `CREATE UNIQUE INDEX event_by_id ON event (event_id)`,
    `CREATE UNIQUE INDEX event_by_ord ON event (room, ord) WHERE ord IS NOT NULL`,
    // what the index on ord does not find by position: rejected, soft-failed, backfilled, late accepted events
    `CREATE INDEX event_off_tail ON event (room, pos) WHERE pos IS NOT NULL AND (ord IS NULL OR ord <> pos * 1024)`,
    // explicit points (R2): which events still need a line
    `CREATE INDEX event_by_line ON event (sline) WHERE sline IS NOT NULL`,
    // for purges: events that are only kept because something names them
    `CREATE INDEX event_outlier ON event (room, nid) WHERE pos IS NULL`,
    // the first byte of body is its format: 0 = the exact canonical JSON with hashes and signatures follows
    `CREATE TABLE event_body (nid INTEGER PRIMARY KEY, body BLOB NOT NULL)`,
    // events that were referenced as parents before they were judged here: backward extremities, and R14's memory
    // (rows stay). counted: what refers to it is visible, or something visible builds on that
    `CREATE TABLE missing_ref (event_id TEXT NOT NULL, by_nid INTEGER NOT NULL, room INTEGER NOT NULL, counted INTEGER NOT NULL,
      PRIMARY KEY (event_id, by_nid)) WITHOUT ROWID`,
    `CREATE TABLE extremity (room INTEGER NOT NULL, nid INTEGER NOT NULL, PRIMARY KEY (room, nid)) WITHOUT ROWID`,
    // a client's transaction: the scope is a device and an endpoint (spec: transaction identifiers)
    `CREATE TABLE txn_id (device INTEGER NOT NULL, path TEXT NOT NULL, txn TEXT NOT NULL, nid INTEGER, ts INTEGER NOT NULL,
      PRIMARY KEY (device, path, txn)) WITHOUT ROWID`,
    `CREATE INDEX txn_id_by_event ON txn_id (nid)`,
    `CREATE TABLE relation (target_id TEXT NOT NULL, rel_type TEXT NOT NULL, nid INTEGER NOT NULL, room INTEGER NOT NULL,
      PRIMARY KEY (target_id, rel_type, nid)) WITHOUT ROWID`,
    // the auth DAG: state events only. auth = varint list of nids. chain/seq: linear runs of one state key (§2.5)
    `CREATE TABLE auth_node (nid INTEGER PRIMARY KEY, room INTEGER NOT NULL, skey INTEGER NOT NULL, adepth INTEGER NOT NULL, chain INTEGER NOT NULL,
      seq INTEGER NOT NULL, auth BLOB NOT NULL)`,
    `CREATE UNIQUE INDEX auth_node_chain ON auth_node (chain, seq)`,
    // who cites whom, for the reverse walk of R16
    `CREATE TABLE auth_edge (auth_nid INTEGER NOT NULL, nid INTEGER NOT NULL, PRIMARY KEY (auth_nid, nid)) WITHOUT ROWID`,
    // the state line
    // flags: 1 = is or was the main line (R8)
    `CREATE TABLE state_line (line INTEGER PRIMARY KEY, room INTEGER NOT NULL, parent INTEGER, parent_pos INTEGER,
      depth INTEGER NOT NULL, flags INTEGER NOT NULL)`,
    `CREATE INDEX state_line_by_room ON state_line (room)`,
    `CREATE INDEX state_line_by_parent ON state_line (parent) WHERE parent IS NOT NULL`,
    `CREATE TABLE state_change (line INTEGER NOT NULL, skey INTEGER NOT NULL, pos INTEGER NOT NULL, event INTEGER, prev INTEGER,
      PRIMARY KEY (line, skey, pos)) WITHOUT ROWID`,
    `CREATE INDEX state_change_by_pos ON state_change (line, pos, skey, event)`,
    `CREATE TABLE room_main (room INTEGER NOT NULL, from_pos INTEGER NOT NULL, line INTEGER NOT NULL,
      PRIMARY KEY (room, from_pos)) WITHOUT ROWID`,
    // states that another server handed in for parents of an event that are not known here (R5, R10)
    `CREATE TABLE given_state (nid INTEGER NOT NULL, parent_id TEXT NOT NULL, line INTEGER NOT NULL, pos INTEGER NOT NULL,
      PRIMARY KEY (nid, parent_id)) WITHOUT ROWID`,
    `CREATE INDEX given_state_by_line ON given_state (line)`,
  ]);
}
