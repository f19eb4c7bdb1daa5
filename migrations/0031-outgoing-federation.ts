/** What other servers still have to be sent. An ordinary event has no row here: it is found by its room and the position of a server. */
import type { Kysely } from 'kysely';
import { ddl } from '../src/storage/ddl.ts';

export async function up(db: Kysely<never>): Promise<void> {
  await ddl(db, [
    `CREATE INDEX room_server_by_server ON room_server (server_nid, room)`,
    // Servers that were not sent everything up to the position that the server fact federation_sent_pos names.
    `CREATE TABLE destination_lag (server_nid INTEGER PRIMARY KEY, sent_pos INTEGER NOT NULL)`,
    // Events about a user of the server, which may have nobody in the room any more.
    `CREATE TABLE targeted_event (server_nid INTEGER NOT NULL, pos INTEGER NOT NULL, nid INTEGER NOT NULL,
      PRIMARY KEY (server_nid, pos)) WITHOUT ROWID`,
    // EDUs that must not be lost. replaces: a later one with the same value takes its place. json: canonical
    `CREATE TABLE outgoing_edu (pos INTEGER PRIMARY KEY, replaces TEXT, json TEXT NOT NULL)`,
    `CREATE INDEX outgoing_edu_replaces ON outgoing_edu (replaces) WHERE replaces IS NOT NULL`,
    `CREATE TABLE outgoing_edu_server (server_nid INTEGER NOT NULL, pos INTEGER NOT NULL, PRIMARY KEY (server_nid, pos)) WITHOUT ROWID`,
    `CREATE INDEX outgoing_edu_server_by_edu ON outgoing_edu_server (pos)`,
  ]);
}
