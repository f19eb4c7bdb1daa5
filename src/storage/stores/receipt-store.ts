/** Read receipts. https://spec.matrix.org/v1.19/client-server-api/#receipts */
import { sql } from 'kysely';
import { defineRead, defineWrite, jsonInteger, jsonRows } from '../query.ts';

export interface ReceiptRow {
  readonly user_nid: number;
  readonly type: string;
  readonly thread: string;
  readonly event_id: string;
  /** Where the event stands; null: it is not known here. */
  readonly ord: number | null;
  readonly ts: number;
  readonly pos: number;
}

/** Never backwards: of two that cross, the one further down the timeline stays, whichever comes last. */
export const upsertReceipt = defineWrite<{
  user: number;
  room: number;
  type: string;
  thread: string;
  eventId: string;
  ord: number | null;
  ts: number;
  pos: number;
}>('receipt.upsert', (q, p) =>
  q
    .insertInto('receipt')
    .values({
      user_nid: p.user,
      room: p.room,
      type: p.type,
      thread: p.thread,
      event_id: p.eventId,
      ord: p.ord,
      ts: p.ts,
      pos: p.pos,
    })
    .onConflict((conflict) =>
      conflict
        .columns(['user_nid', 'room', 'type', 'thread'])
        .doUpdateSet((e) => ({
          event_id: e.ref('excluded.event_id'),
          ord: e.ref('excluded.ord'),
          ts: e.ref('excluded.ts'),
          pos: e.ref('excluded.pos'),
        }))
        .where((e) => e.or([e('receipt.ord', 'is', null), e('receipt.ord', '<', e.ref('excluded.ord'))])),
    ),
);

export const receiptOf = defineRead<
  { user: number; room: number; type: string; thread: string },
  { event_id: string; ord: number | null }
>('receipt.of', (q, p) =>
  q
    .selectFrom('receipt')
    .select(['event_id', 'ord'])
    .where('user_nid', '=', p.user)
    .where('room', '=', p.room)
    .where('type', '=', p.type)
    .where('thread', '=', p.thread),
);

/** The receipts of one type that these users have in a room, of all threads. */
export const receiptsOfUsersIn = defineRead<
  { room: number; type: string; users: readonly number[] },
  { user_nid: number; thread: string; ord: number | null }
>('receipt.ofUsersIn', (q, p) =>
  q
    .selectFrom('receipt')
    .select(['user_nid', 'thread', 'ord'])
    .where('user_nid', 'in', p.list('users'))
    .where('room', '=', p.room)
    .where('type', '=', p.type),
);

export interface ReadUpTo {
  readonly read_ord: number;
  readonly notify_read: number;
  /** A thread that is read further than that, and how far; null: none is. */
  readonly thread: string | null;
  readonly ord: number | null;
}

/** What a user has read of a room: up to where all, and one row for each receipt that goes further in one thread. */
export const readUpTo = defineRead<{ user: number; room: number }, ReadUpTo>('receipt.readUpTo', (q, p) =>
  q
    .selectFrom('user_room as u')
    .leftJoin('receipt as r', (join) =>
      join
        .onRef('r.user_nid', '=', 'u.user_nid')
        .onRef('r.room', '=', 'u.room')
        .onRef('r.ord', '>', 'u.read_ord')
        .on('r.thread', '<>', ''),
    )
    .select(['u.read_ord', 'u.notify_read', 'r.thread', 'r.ord'])
    .where('u.user_nid', '=', p.user)
    .where('u.room', '=', p.room),
);

/** The same of many rooms. */
export const readUpToIn = defineRead<{ user: number; rooms: readonly number[] }, { room: number } & ReadUpTo>(
  'receipt.readUpToIn',
  (q, p) =>
    q
      .selectFrom('user_room as u')
      .leftJoin('receipt as r', (join) =>
        join
          .onRef('r.user_nid', '=', 'u.user_nid')
          .onRef('r.room', '=', 'u.room')
          .onRef('r.ord', '>', 'u.read_ord')
          .on('r.thread', '<>', ''),
      )
      .select(['u.room', 'u.read_ord', 'u.notify_read', 'r.thread', 'r.ord'])
      .where('u.user_nid', '=', p.user)
      .where('u.room', 'in', p.list('rooms')),
);

/** All receipts of many rooms, private ones of other users included. */
export const receiptsOfRooms = defineRead<{ rooms: readonly number[]; upTo: number }, { room: number } & ReceiptRow>(
  'receipt.ofRooms',
  (q, p) =>
    q
      .selectFrom('receipt')
      .select(['room', 'user_nid', 'type', 'thread', 'event_id', 'ord', 'ts', 'pos'])
      .where('room', 'in', p.list('rooms'))
      .where('pos', '<=', p.upTo)
      .orderBy('pos'),
);

/** Receipts of a room that changed after a position, private ones of other users included: the reader leaves those out. */
export const receiptsAfter = defineRead<{ room: number; after: number; upTo: number }, ReceiptRow>(
  'receipt.after',
  (q, p) =>
    q
      .selectFrom('receipt')
      .select(['user_nid', 'type', 'thread', 'event_id', 'ord', 'ts', 'pos'])
      .where('room', '=', p.room)
      .where('pos', '>', p.after)
      .where('pos', '<=', p.upTo)
      .orderBy('pos'),
);

/** The same of many rooms, each from a position of its own on. `rows`: JSON text of a list of pairs of room and position. */
export const receiptsInRooms = defineRead<{ rows: string; upTo: number }, { room: number } & ReceiptRow>(
  'receipt.inRooms',
  (q, p) => sql<{ room: number } & ReceiptRow>`
    with wanted(room, after) as materialized (select ${jsonInteger(0)}, ${jsonInteger(1)} from ${jsonRows(q, p.rows)})
    select r.room, r.user_nid, r.type, r.thread, r.event_id, r.ord, r.ts, r.pos
    from wanted as w cross join receipt as r
    where r.room = w.room and r.pos > w.after and r.pos <= ${p.upTo}
    order by r.pos`,
);

export const receiptsOfUserIn = defineRead<{ user: number; rooms: readonly number[] }, { room: number } & ReceiptRow>(
  'receipt.ofUserIn',
  (q, p) =>
    q
      .selectFrom('receipt')
      .select(['room', 'user_nid', 'type', 'thread', 'event_id', 'ord', 'ts', 'pos'])
      .where('user_nid', '=', p.user)
      .where('room', 'in', p.list('rooms'))
      .orderBy('pos'),
);

export const receiptsOfUser = defineRead<{ user: number; room: number }, ReceiptRow>('receipt.ofUser', (q, p) =>
  q
    .selectFrom('receipt')
    .select(['user_nid', 'type', 'thread', 'event_id', 'ord', 'ts', 'pos'])
    .where('user_nid', '=', p.user)
    .where('room', '=', p.room)
    .orderBy('pos'),
);
