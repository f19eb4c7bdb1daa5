/** Events and their places in the directed acyclic graphs of rooms: `event`, `extremity`, `missing_ref`, `room`. */
import { sql } from 'kysely';
import { bigint, defineRead, defineWrite } from '../query.ts';

/** What is needed of an event to place others beside it. Columns as in the table. */
export interface EventPlaceRow {
  nid: number;
  event_id: string;
  room: number;
  ord: number | null;
  pos: number | null;
  skey: number | null;
  depth: number;
  sline: number | null;
  spos: number | null;
  flags: number;
  notify_seq: number;
}
const placeColumns = [
  'nid',
  'event_id',
  'room',
  'ord',
  'pos',
  'skey',
  'depth',
  'sline',
  'spos',
  'flags',
  'notify_seq',
] as const;

export const placesByIds = defineRead<{ eventIds: string[] }, EventPlaceRow>('eventPlace.byIds', (q, p) =>
  q
    .selectFrom('event')
    .select([...placeColumns])
    .where('event_id', 'in', p.list('eventIds')),
);

export const placesByNids = defineRead<{ nids: number[] }, EventPlaceRow>('eventPlace.byNids', (q, p) =>
  q
    .selectFrom('event')
    .select([...placeColumns])
    .where('nid', 'in', p.list('nids')),
);

/**
 * Events of a room that came in live at a position in (above, upTo], oldest first. Together with `placesOffTail`: all that
 * were judged there.
 */
export const placesOnTail = defineRead<
  { room: number; aboveOrd: number; upToOrd: number; limit: number },
  EventPlaceRow
>('eventPlace.onTail', (q, p) =>
  q
    .selectFrom('event')
    .select([...placeColumns])
    .where('room', '=', p.room)
    .where('ord', '>', p.aboveOrd)
    .where('ord', '<=', p.upToOrd)
    .where(sql<boolean>`ord = pos * 1024`)
    .orderBy('ord')
    .limit(bigint(p.limit)),
);

/** Rejected, soft-failed, backfilled and late accepted events that were judged in (above, upTo], oldest first. */
export const placesOffTail = defineRead<{ room: number; above: number; upTo: number; limit: number }, EventPlaceRow>(
  'eventPlace.offTail',
  (q, p) =>
    q
      .selectFrom('event')
      .select([...placeColumns])
      .where('room', '=', p.room)
      .where('pos', '>', p.above)
      .where('pos', '<=', p.upTo)
      .where(sql<boolean>`(ord is null or ord <> pos * 1024)`)
      .orderBy('pos')
      .limit(bigint(p.limit)),
);

export const bodiesByNids = defineRead<{ nids: number[] }, { nid: number; event_id: string; body: Buffer }>(
  'eventPlace.bodies',
  (q, p) =>
    q
      .selectFrom('event_body as b')
      .innerJoin('event as e', 'e.nid', 'b.nid')
      .select(['b.nid', 'e.event_id', 'b.body'])
      .where('b.nid', 'in', p.list('nids')),
);

export interface RoomRow {
  room: number;
  room_id: string;
  version: string;
  partial_nid: number | null;
  purge_pos: number;
}
export const roomById = defineRead<{ roomId: string }, RoomRow>('room.byId', (q, p) =>
  q
    .selectFrom('room')
    .select(['room', 'room_id', 'version', 'partial_nid', 'purge_pos'])
    .where('room_id', '=', p.roomId),
);
export const roomByNid = defineRead<{ room: number }, RoomRow>('room.byNid', (q, p) =>
  q.selectFrom('room').select(['room', 'room_id', 'version', 'partial_nid', 'purge_pos']).where('room', '=', p.room),
);

export const extremitiesOf = defineRead<{ room: number }, EventPlaceRow>('extremity.ofRoom', (q, p) =>
  q
    .selectFrom('extremity as x')
    .innerJoin('event as e', 'e.nid', 'x.nid')
    .select(placeColumns.map((column) => `e.${column}` as const))
    .where('x.room', '=', p.room)
    .orderBy('e.pos'),
);

/** The newest visible event: its notify_seq is the room's. */
export const newestOfTimeline = defineRead<{ room: number }, { ord: number; notify_seq: number }>(
  'event.newestOfTimeline',
  (q, p) =>
    q
      .selectFrom('event')
      .select((eb) => [eb.ref('ord').$notNull().as('ord'), 'notify_seq'])
      .where('room', '=', p.room)
      .where('ord', 'is not', null)
      .orderBy('ord', 'desc')
      .limit(1),
);

/** The visible event right below an order value. */
export const timelineBelow = defineRead<{ room: number; ord: number }, { ord: number; notify_seq: number }>(
  'event.timelineBelow',
  (q, p) =>
    q
      .selectFrom('event')
      .select((eb) => [eb.ref('ord').$notNull().as('ord'), 'notify_seq'])
      .where('room', '=', p.room)
      .where('ord', '<', p.ord)
      .orderBy('ord', 'desc')
      .limit(1),
);

export const oldestOfTimeline = defineRead<{ room: number }, { ord: number }>('event.oldestOfTimeline', (q, p) =>
  q
    .selectFrom('event')
    .select((eb) => eb.ref('ord').$notNull().as('ord'))
    .where('room', '=', p.room)
    .where('ord', 'is not', null)
    .orderBy('ord')
    .limit(1),
);

/** The greatest value below that of an event that no event has. */
export const freeOrdBelow = defineRead<{ room: number; ord: number }, { ord: number }>('event.freeOrdBelow', (q, p) =>
  q
    .selectFrom('event as e')
    .select(sql<number>`e.ord - 1`.as('ord'))
    .where('e.room', '=', p.room)
    .where('e.ord', '<=', p.ord)
    .where((eb) =>
      eb.not(
        eb.exists(
          eb
            .selectFrom('event as f')
            .select('f.nid')
            .where('f.room', '=', p.room)
            .where('f.ord', '=', sql<number>`e.ord - 1`),
        ),
      ),
    )
    .orderBy('e.ord', 'desc')
    .limit(1),
);

export interface MissingRefRow {
  event_id: string;
  by_nid: number;
  counted: number;
}
export const missingRefsTo = defineRead<{ eventIds: string[] }, MissingRefRow>('missingRef.to', (q, p) =>
  q.selectFrom('missing_ref').select(['event_id', 'by_nid', 'counted']).where('event_id', 'in', p.list('eventIds')),
);

export const insertRoom = defineWrite<{ room: number; roomId: string; version: string; mainLine: number }>(
  'room.insert',
  (q, p) =>
    q.insertInto('room').values({
      room: p.room,
      room_id: p.roomId,
      version: p.version,
      main_line: p.mainLine,
      purge_pos: 0,
      partial_nid: null,
      flags: 0,
    }),
);
export const setRoomVersion = defineWrite<{ room: number; version: string }>('room.setVersion', (q, p) =>
  q.updateTable('room').set({ version: p.version }).where('room', '=', p.room),
);

export const setRoomPartial = defineWrite<{ room: number; partialNid: number | null }>('room.setPartial', (q, p) =>
  q.updateTable('room').set({ partial_nid: p.partialNid }).where('room', '=', p.room),
);
export const setRoomMainLine = defineWrite<{ room: number; mainLine: number }>('room.setMainLine', (q, p) =>
  q.updateTable('room').set({ main_line: p.mainLine }).where('room', '=', p.room),
);

export const insertEvent = defineWrite<{
  nid: number;
  eventId: string;
  room: number;
  ord: number | null;
  pos: number | null;
  type: string;
  sender: number;
  skey: number | null;
  ts: number;
  depth: number;
  sline: number | null;
  spos: number | null;
  flags: number;
  notifySeq: number;
}>('event.insert', (q, p) =>
  q.insertInto('event').values({
    nid: p.nid,
    event_id: p.eventId,
    room: p.room,
    ord: p.ord,
    pos: p.pos,
    type: p.type,
    sender: p.sender,
    skey: p.skey,
    ts: p.ts,
    depth: p.depth,
    sline: p.sline,
    spos: p.spos,
    flags: p.flags,
    redacted_by: null,
    notify_seq: p.notifySeq,
  }),
);
export const insertEventBody = defineWrite<{ nid: number; body: Buffer }>('eventBody.insert', (q, p) =>
  q.insertInto('event_body').values({ nid: p.nid, body: p.body }),
);

/**
 * An outlier gets its place, or an event gets another one. `keepFlags` and `flags`: which bits stay as they are, and which
 * are set; other parts of the server set bits of their own.
 */
export const placeEvent = defineWrite<{
  nid: number;
  ord: number | null;
  pos: number;
  sline: number | null;
  spos: number | null;
  keepFlags: number;
  flags: number;
  notifySeq: number;
}>('event.place', (q, p) =>
  q
    .updateTable('event')
    .set({
      ord: p.ord,
      pos: p.pos,
      sline: p.sline,
      spos: p.spos,
      flags: sql<number>`(flags & ${bigint(p.keepFlags)}) | ${bigint(p.flags)}`,
      notify_seq: p.notifySeq,
    })
    .where('nid', '=', p.nid),
);

export const insertExtremity = defineWrite<{ room: number; nid: number }>('extremity.insert', (q, p) =>
  q.insertInto('extremity').values({ room: p.room, nid: p.nid }),
);
export const replaceExtremity = defineWrite<{ room: number; nid: number; byNid: number }>('extremity.replace', (q, p) =>
  q.updateTable('extremity').set({ nid: p.byNid }).where('room', '=', p.room).where('nid', '=', p.nid),
);
export const deleteExtremity = defineWrite<{ room: number; nid: number }>('extremity.delete', (q, p) =>
  q.deleteFrom('extremity').where('room', '=', p.room).where('nid', '=', p.nid),
);

export const insertMissingRef = defineWrite<{ eventId: string; byNid: number; room: number; counted: number }>(
  'missingRef.insert',
  (q, p) =>
    q
      .insertInto('missing_ref')
      .values({ event_id: p.eventId, by_nid: p.byNid, room: p.room, counted: p.counted })
      .onConflict((conflict) =>
        conflict.columns(['event_id', 'by_nid']).doUpdateSet((eb) => ({ counted: eb.ref('excluded.counted') })),
      ),
);

/** What refers to missing events became visible, or ceased to be. */
export const setMissingRefsCounted = defineWrite<{ byNid: number; eventIds: string[]; counted: number }>(
  'missingRef.setCounted',
  (q, p) =>
    q
      .updateTable('missing_ref')
      .set({ counted: p.counted })
      .where('event_id', 'in', p.list('eventIds'))
      .where('by_nid', '=', p.byNid),
);
