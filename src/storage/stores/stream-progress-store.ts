/** How far those have come who derive something from events: table stream_progress. */
import { sql } from 'kysely';
import { bigint, defineRead, defineWrite } from '../query.ts';

/**
 * Everything up to `pos` is derived. While `target` is set, what lies between is being looked for, room by room, and has been found up to
 * `ord` in `room`.
 */
export interface StreamProgress {
  readonly pos: number;
  readonly target: number | null;
  readonly room: number;
  readonly ord: number;
}

export const streamProgress = defineRead<{ follower: string }, StreamProgress>('streamProgress.find', (q, p) =>
  q.selectFrom('stream_progress').select(['pos', 'target', 'room', 'ord']).where('follower', '=', p.follower),
);

export const setStreamProgress = defineWrite<StreamProgress & { follower: string }>('streamProgress.set', (q, p) =>
  q
    .insertInto('stream_progress')
    .values({ follower: p.follower, pos: p.pos, target: p.target, room: p.room, ord: p.ord })
    .onConflict((conflict) =>
      conflict.column('follower').doUpdateSet((e) => ({
        pos: e.ref('excluded.pos'),
        target: e.ref('excluded.target'),
        room: e.ref('excluded.room'),
        ord: e.ref('excluded.ord'),
      })),
    ),
);

/** Rooms behind a number in which something came in after a position, with what tells where to go on. */
export const roomsChangedAfter = defineRead<
  { above: number; ord: number; pos: number; limit: number },
  { room: number; changed: number }
>(
  'streamProgress.roomsChangedAfter',
  (_q, p) =>
    sql<{ room: number; changed: number }>`select r.room, case when
        exists (select 1 from event as e where e.room = r.room and e.ord > ${p.ord})
        or exists (select 1 from event as e where e.room = r.room and e.pos > ${p.pos}
          and e.pos is not null and (e.ord is null or e.ord <> e.pos * 1024)) then 1 else 0 end as changed
      from (select room from room where room > ${p.above} order by room limit ${bigint(p.limit)}) as r order by r.room`,
);
