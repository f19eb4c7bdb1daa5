/** What a server has on disk of rooms, read beside it. */
import Sqlite from 'better-sqlite3';
import { EventFlag } from '../../../src/storage/event-flags.ts';

export interface EventRecord {
  readonly eventId: string;
  readonly type: string;
  readonly sender: string;
  readonly isRejected: boolean;
  readonly isSoftFailed: boolean;
  readonly isRedacted: boolean;
  /** The redaction that was carried out. */
  readonly redactedBy: string | undefined;
}
export interface RoomRecord {
  /** Those that have a place, by id. */
  readonly events: ReadonlyMap<string, EventRecord>;
  /** Ids of current state events, by type and key. */
  readonly extremities: number;
}
export interface Work {
  readonly stagedPdus: number;
  readonly laggingServers: number;
  readonly waitingEdus: number;
  /** With a place or without. */
  readonly events: number;
  readonly outliers: number;
}

interface EventRow {
  readonly event_id: string;
  readonly type: string;
  readonly user_id: string;
  readonly flags: number;
  readonly redacted_by: string | null;
}

export function readRoom(databasePath: string, roomId: string): RoomRecord | undefined {
  return reading(databasePath, (db) => {
    const room = db.prepare('SELECT room FROM room WHERE room_id = ?').pluck().get(roomId);
    if (room === undefined) return undefined;
    const rows = db
      .prepare(
        'SELECT e.event_id, e.type, u.user_id, e.flags, r.event_id AS redacted_by FROM event e ' +
          'JOIN user_name u ON u.user_nid = e.sender LEFT JOIN event r ON r.nid = e.redacted_by ' +
          'WHERE e.room = ? AND e.pos IS NOT NULL ORDER BY e.pos',
      )
      .all(room) as EventRow[];
    const events = rows.map(({ event_id: eventId, type, user_id: sender, flags, redacted_by: redactedBy }) => ({
      eventId,
      type,
      sender,
      isRejected: (flags & EventFlag.rejected) !== 0,
      isSoftFailed: (flags & EventFlag.softFailed) !== 0,
      isRedacted: (flags & EventFlag.redacted) !== 0,
      redactedBy: redactedBy ?? undefined,
    }));
    const extremities = count(db, 'SELECT count(*) FROM extremity WHERE room = ?', room);
    return { events: new Map(events.map((event) => [event.eventId, event])), extremities };
  });
}

/** `except`: a server for which things may wait. */
export function readWork(databasePath: string, except = ''): Work {
  return reading(databasePath, (db) => ({
    stagedPdus: count(db, 'SELECT count(*) FROM staged_pdu'),
    laggingServers: count(db, `SELECT count(*) FROM destination_lag WHERE ${of}`, except),
    waitingEdus: count(db, `SELECT count(*) FROM outgoing_edu_server WHERE ${of}`, except),
    events: count(db, 'SELECT count(*) FROM event'),
    outliers: count(db, 'SELECT count(*) FROM event WHERE pos IS NULL'),
  }));
}

const of = 'server_nid NOT IN (SELECT server_nid FROM server_name WHERE name = ?)';

function count(db: Sqlite.Database, sql: string, ...values: unknown[]): number {
  return db
    .prepare(sql)
    .pluck()
    .get(...values) as number;
}

function reading<T>(databasePath: string, read: (db: Sqlite.Database) => T): T {
  const db = new Sqlite(databasePath, { readonly: true, fileMustExist: true });
  try {
    return read(db);
  } finally {
    db.close();
  }
}
