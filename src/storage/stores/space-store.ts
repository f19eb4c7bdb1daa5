/** The rooms of spaces: events of type m.space.child. */
import { sql } from 'kysely';
import { defineRead } from '../query.ts';

/** Of these rooms, those that have or had a child. The index on m.space.child events is asked once for each. */
export const roomsWithChildren = defineRead<{ roomIds: readonly string[] }, { room: number; room_id: string }>(
  'space.roomsWithChildren',
  (q, p) =>
    q
      .selectFrom('room as r')
      .select(['r.room', 'r.room_id'])
      .where('r.room_id', 'in', p.list('roomIds'))
      .where((e) =>
        e.exists(
          e
            .selectFrom('event as e')
            .select('e.nid')
            .whereRef('e.room', '=', 'r.room')
            .where('e.type', '=', sql.lit('m.space.child')),
        ),
      ),
);

/**
 * The m.space.child events of the current state of these rooms. CROSS JOIN because SQLite keeps its order: the keys from the
 * index on such events, then a few seeks for each. A main line is a root, so it has all of the state.
 */
export const childEventsOf = defineRead<{ rooms: readonly number[] }, { room: number; key: string; body: Buffer }>(
  'space.childEventsOf',
  (q, p) =>
    q
      .selectFrom((e) =>
        e
          .selectFrom('event')
          .select(['room', 'skey'])
          .distinct()
          .where('room', 'in', p.list('rooms'))
          .where('type', '=', sql.lit('m.space.child'))
          .as('x'),
      )
      .crossJoin('room as r')
      .crossJoin('state_change as c')
      .crossJoin('state_key as k')
      .crossJoin('event_body as b')
      .select(['r.room', 'k.key', 'b.body'])
      .whereRef('r.room', '=', 'x.room')
      .whereRef('c.line', '=', 'r.main_line')
      .whereRef('c.skey', '=', 'x.skey')
      .where('c.pos', '=', (e) =>
        e
          .selectFrom('state_change as d')
          .select((m) => m.fn.max('d.pos').as('pos'))
          .whereRef('d.line', '=', 'r.main_line')
          .whereRef('d.skey', '=', 'x.skey'),
      )
      .whereRef('k.skey', '=', 'c.skey')
      .whereRef('b.nid', '=', 'c.event'),
);
