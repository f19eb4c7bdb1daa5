/** Threads by their newest event. https://spec.matrix.org/v1.19/client-server-api/#threading */
import { sql } from 'kysely';
import { bigint, defineRead, defineWrite } from '../query.ts';

/** An event more is in the thread. */
export const addToThread = defineWrite<{ room: number; rootId: string; ord: number }>('thread.add', (q, p) =>
  q
    .insertInto('thread')
    .values({ room: p.room, root_id: p.rootId, latest_ord: p.ord, events: 1 })
    .onConflict((conflict) =>
      conflict.columns(['room', 'root_id']).doUpdateSet({
        events: sql<number>`thread.events + 1`,
        latest_ord: sql<number>`case when thread.latest_ord < excluded.latest_ord then excluded.latest_ord
          else thread.latest_ord end`,
      }),
    ),
);

/** An event less is in the thread; its relation is gone already. To be followed by `dropEmptyThread`. */
export const takeFromThread = defineWrite<{ room: number; rootId: string }>('thread.take', (q, p) =>
  q
    .updateTable('thread')
    .set((e) => ({
      events: sql<number>`events - 1`,
      latest_ord: e.fn.coalesce(
        e
          .selectFrom('relation')
          .select((x) => x.fn.max('relation.ord').as('ord'))
          .whereRef('relation.room', '=', 'thread.room')
          .whereRef('relation.target_id', '=', 'thread.root_id')
          .where('relation.rel_type', '=', 'm.thread'),
        sql<number>`0`,
      ),
    }))
    .where('room', '=', p.room)
    .where('root_id', '=', p.rootId),
);
export const dropEmptyThread = defineWrite<{ room: number; rootId: string }>('thread.dropEmpty', (q, p) =>
  q.deleteFrom('thread').where('room', '=', p.room).where('root_id', '=', p.rootId).where('events', '<=', 0),
);

export interface ThreadRow {
  readonly root_id: string;
  readonly latest_ord: number;
}

/** With their newest event below `before`, the newest first. */
export const threadsBackwards = defineRead<{ room: number; before: number; limit: number }, ThreadRow>(
  'thread.backwards',
  (q, p) =>
    q
      .selectFrom('thread')
      .select(['root_id', 'latest_ord'])
      .where('room', '=', p.room)
      .where('latest_ord', '<', p.before)
      .orderBy('latest_ord', 'desc')
      .limit(bigint(p.limit)),
);

/** Those of the threads in which a user sent something before an order value. */
export const threadsWith = defineRead<
  { room: number; rootIds: readonly string[]; user: number; before: number },
  { root_id: string }
>('thread.with', (q, p) =>
  q
    .selectFrom('thread as t')
    .select('t.root_id')
    .where('t.room', '=', p.room)
    .where('t.root_id', 'in', p.list('rootIds'))
    .where((e) =>
      e.exists(
        e
          .selectFrom('relation as r')
          .select('r.nid')
          .whereRef('r.room', '=', 't.room')
          .whereRef('r.target_id', '=', 't.root_id')
          .where('r.rel_type', '=', sql.lit('m.thread'))
          .where('r.sender', '=', p.user)
          .where('r.ord', '<', p.before),
      ),
    ),
);
