/** Rooms that were joined before their members were known: partial_room, partial_room_server. */
import { sql } from 'kysely';
import { bigint, defineRead, defineWrite, jsonInteger, jsonRows } from '../query.ts';

export interface PartialRoomRow {
  readonly room: number;
  readonly event_id: string;
  readonly started_ts: number;
  readonly filled_pos: number | null;
}

export const partialRooms = defineRead<Record<string, never>, PartialRoomRow>('partialRoom.all', (q) =>
  q.selectFrom('partial_room').select(['room', 'event_id', 'started_ts', 'filled_pos']),
);

/** In the order in which they are asked. */
export const serversOfPartialRoom = defineRead<{ room: number; limit: number }, { server_nid: number }>(
  'partialRoom.servers',
  (q, p) =>
    q
      .selectFrom('partial_room_server')
      .select('server_nid')
      .where('room', '=', p.room)
      .orderBy('rank')
      .limit(bigint(p.limit)),
);

export const serverOfPartialRoom = defineRead<{ room: number; server: number }, { server_nid: number }>(
  'partialRoom.server',
  (q, p) =>
    q
      .selectFrom('partial_room_server')
      .select('server_nid')
      .where('room', '=', p.room)
      .where('server_nid', '=', p.server),
);

export const setPartialRoom = defineWrite<{ room: number; eventId: string; startedTs: number }>(
  'partialRoom.set',
  (q, p) =>
    q
      .insertInto('partial_room')
      .values({ room: p.room, event_id: p.eventId, started_ts: p.startedTs, filled_pos: null })
      .onConflict((conflict) =>
        conflict.column('room').doUpdateSet((e) => ({
          event_id: e.ref('excluded.event_id'),
          started_ts: e.ref('excluded.started_ts'),
          filled_pos: null,
        })),
      ),
);

export const setRoomFilled = defineWrite<{ room: number; pos: number }>('partialRoom.setFilled', (q, p) =>
  q.updateTable('partial_room').set({ filled_pos: p.pos }).where('room', '=', p.room),
);

export const dropPartialRoom = defineWrite<{ room: number }>('partialRoom.drop', (q, p) =>
  q.deleteFrom('partial_room').where('room', '=', p.room),
);

/** `rows`: JSON text of a list of [server, rank]. */
export const addPartialRoomServers = defineWrite<{ room: number; rows: string }>(
  'partialRoom.addServers',
  (q, p) => sql`
    insert into partial_room_server (room, server_nid, rank)
    select ${bigint(p.room)}, ${jsonInteger(0)}, ${jsonInteger(1)} from ${jsonRows(q, p.rows)}`,
);

export const dropPartialRoomServers = defineWrite<{ room: number }>('partialRoom.dropServers', (q, p) =>
  q.deleteFrom('partial_room_server').where('room', '=', p.room),
);
