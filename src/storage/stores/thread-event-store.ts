/** Which events are in which thread (docs/decisions: unread counts). */
import { bigint, defineRead, defineWrite } from '../query.ts';

export interface ThreadEventRow {
  readonly ord: number;
  /** The event id of the thread's root. */
  readonly root: string;
  /** 1: the default push rules notify for it. */
  readonly counted: number;
}

export const insertThreadEvent = defineWrite<ThreadEventRow & { room: number }>('threadEvent.insert', (q, p) =>
  q.insertInto('thread_event').values({ room: p.room, ord: p.ord, root: p.root, counted: p.counted }),
);

/** The oldest first, from above `after` up to below `before`. */
export const threadEventsBetween = defineRead<
  { room: number; after: number; before: number; limit: number },
  ThreadEventRow
>('threadEvent.between', (q, p) =>
  q
    .selectFrom('thread_event')
    .select(['ord', 'root', 'counted'])
    .where('room', '=', p.room)
    .where('ord', '>', p.after)
    .where('ord', '<', p.before)
    .orderBy('ord')
    .limit(bigint(p.limit)),
);

/** The thread of one event, by its place. */
export const threadAt = defineRead<{ room: number; ord: number }, { root: string }>('threadEvent.at', (q, p) =>
  q.selectFrom('thread_event').select('root').where('room', '=', p.room).where('ord', '=', p.ord),
);
