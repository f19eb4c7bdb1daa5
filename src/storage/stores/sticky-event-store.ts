/** Events that are sticky: table sticky_event. MSC4354. */
import { bigint, defineRead, defineWrite } from '../query.ts';

/** The newest first, without those that were redacted. */
export const stickyEvents = defineRead<
  { room: number; after: number; upTo: number; now: number; limit: number },
  { nid: number }
>('stickyEvent.ofRoom', (q, p) =>
  q
    .selectFrom('sticky_event as s')
    .innerJoin('event as e', 'e.nid', 's.nid')
    .select('s.nid')
    .where('s.room', '=', p.room)
    .where('s.pos', '>', p.after)
    .where('s.pos', '<=', p.upTo)
    .where('s.expires_ts', '>', p.now)
    .where('e.ord', 'is not', null)
    .where('e.redacted_by', 'is', null)
    .orderBy('s.pos', 'desc')
    .limit(bigint(p.limit)),
);

/** Which rooms have any, the position of the newest, and when the last one ends. */
export const roomsWithStickyEvents = defineRead<{ now: number }, { room: number; pos: number; expires_ts: number }>(
  'stickyEvent.rooms',
  (q, p) =>
    q
      .selectFrom('sticky_event')
      .select((e) => [
        'room',
        e.fn.max('pos').$castTo<number>().as('pos'),
        e.fn.max('expires_ts').$castTo<number>().as('expires_ts'),
      ])
      .where('expires_ts', '>', p.now)
      .groupBy('room'),
);

export const insertStickyEvent = defineWrite<{ room: number; pos: number; nid: number; expiresTs: number }>(
  'stickyEvent.insert',
  (q, p) => q.insertInto('sticky_event').values({ room: p.room, pos: p.pos, nid: p.nid, expires_ts: p.expiresTs }),
);

export const deleteExpiredStickyEvents = defineWrite<{ now: number }>('stickyEvent.deleteExpired', (q, p) =>
  q.deleteFrom('sticky_event').where('expires_ts', '<=', p.now),
);
