/** Events of a room's timeline by the time that they say they were sent. */
import { sql } from 'kysely';
import { bigint, defineRead } from '../query.ts';

export interface TimedEvent {
  readonly nid: number;
  readonly event_id: string;
  readonly ts: number;
  readonly ord: number;
  readonly pos: number | null;
  readonly sender: number;
  readonly skey: number | null;
  readonly flags: number;
}
interface From {
  room: number;
  ts: number;
  ord: number;
  limit: number;
}

/** Those later than (ts, ord), the earliest first; of one time in the order of the timeline. */
export const eventsAfterTime = defineRead<From, TimedEvent>('eventTime.after', (q, p) =>
  q
    .selectFrom('event')
    .select((e) => ['nid', 'event_id', 'ts', e.ref('ord').$notNull().as('ord'), 'pos', 'sender', 'skey', 'flags'])
    .where('room', '=', p.room)
    .where('ord', 'is not', null)
    .where(sql<boolean>`(ts, ord) > (${bigint(p.ts)}, ${bigint(p.ord)})`)
    .orderBy('ts')
    .orderBy('ord')
    .limit(bigint(p.limit)),
);

/** Those earlier than (ts, ord), the latest first. */
export const eventsBeforeTime = defineRead<From, TimedEvent>('eventTime.before', (q, p) =>
  q
    .selectFrom('event')
    .select((e) => ['nid', 'event_id', 'ts', e.ref('ord').$notNull().as('ord'), 'pos', 'sender', 'skey', 'flags'])
    .where('room', '=', p.room)
    .where('ord', 'is not', null)
    .where(sql<boolean>`(ts, ord) < (${bigint(p.ts)}, ${bigint(p.ord)})`)
    .orderBy('ts', 'desc')
    .orderBy('ord', 'desc')
    .limit(bigint(p.limit)),
);

interface Stretch {
  room: number;
  ord: number;
  limit: number;
}
/** The first of the timeline from an order value on. */
export const timedEventsFrom = defineRead<Stretch, TimedEvent>('eventTime.from', (q, p) =>
  q
    .selectFrom('event')
    .select((e) => ['nid', 'event_id', 'ts', e.ref('ord').$notNull().as('ord'), 'pos', 'sender', 'skey', 'flags'])
    .where('room', '=', p.room)
    .where('ord', '>=', p.ord)
    .orderBy('ord')
    .limit(bigint(p.limit)),
);
/** The last of the timeline up to an order value. */
export const timedEventsUpTo = defineRead<Stretch, TimedEvent>('eventTime.upTo', (q, p) =>
  q
    .selectFrom('event')
    .select((e) => ['nid', 'event_id', 'ts', e.ref('ord').$notNull().as('ord'), 'pos', 'sender', 'skey', 'flags'])
    .where('room', '=', p.room)
    .where('ord', '<=', p.ord)
    .orderBy('ord', 'desc')
    .limit(bigint(p.limit)),
);
