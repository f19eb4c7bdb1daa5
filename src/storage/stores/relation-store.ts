/** Which events relate to which. https://spec.matrix.org/v1.19/client-server-api/#forming-relationships-between-events */
import { sql } from 'kysely';
import { bigint, defineRead, defineWrite } from '../query.ts';

export const insertRelation = defineWrite<{
  room: number;
  targetId: string;
  relType: string;
  ord: number;
  nid: number;
  eventId: string;
  sender: number;
  ts: number;
  variant: string;
  target2Id: string | null;
  target3Id: string | null;
}>('relation.insert', (q, p) =>
  q.insertInto('relation').values({
    room: p.room,
    target_id: p.targetId,
    rel_type: p.relType,
    ord: p.ord,
    nid: p.nid,
    event_id: p.eventId,
    sender: p.sender,
    ts: p.ts,
    variant: p.variant,
    target2_id: p.target2Id,
    target3_id: p.target3Id,
  }),
);

/** Children that came before their parent learn what that relates to. */
export const adoptChildren = defineWrite<{
  room: number;
  eventId: string;
  targetId: string;
  target2Id: string | null;
}>('relation.adoptChildren', (q, p) =>
  q
    .updateTable('relation')
    .set({ target2_id: p.targetId, target3_id: p.target2Id })
    .where('room', '=', p.room)
    .where('target_id', '=', p.eventId),
);
export const adoptGrandchildren = defineWrite<{ room: number; eventId: string; targetId: string }>(
  'relation.adoptGrandchildren',
  (q, p) =>
    q
      .updateTable('relation')
      .set({ target3_id: p.targetId })
      .where('room', '=', p.room)
      .where('target2_id', '=', p.eventId),
);

export const deleteRelation = defineWrite<{ room: number; targetId: string; relType: string; ord: number }>(
  'relation.delete',
  (q, p) =>
    q
      .deleteFrom('relation')
      .where('room', '=', p.room)
      .where('target_id', '=', p.targetId)
      .where('rel_type', '=', p.relType)
      .where('ord', '=', p.ord),
);

/** Whether a user has annotated an event so already. */
export const findAnnotation = defineRead<
  { room: number; targetId: string; sender: number; variant: string },
  { nid: number }
>('relation.findAnnotation', (q, p) =>
  q
    .selectFrom('relation')
    .select('nid')
    .where('room', '=', p.room)
    .where('target_id', '=', p.targetId)
    .where('rel_type', '=', 'm.annotation')
    .where('sender', '=', p.sender)
    .where('variant', '=', p.variant)
    .limit(1),
);

/** A child of an event: direct where its `target_id` is the event. */
export interface ChildRow {
  readonly ord: number;
  readonly nid: number;
  readonly rel_type: string;
  readonly target_id: string;
  readonly target2_id: string | null;
}
const childColumns = ['ord', 'nid', 'rel_type', 'target_id', 'target2_id'] as const;
interface ChildrenWanted {
  room: number;
  targetId: string;
  after: number;
  before: number;
  limit: number;
}
type Column = 'target_id' | 'target2_id' | 'target3_id';

/** In (after, before) of the timeline: the newest first for `backwards`. */
function defineChildren(name: string, column: Column, direction: 'asc' | 'desc') {
  return defineRead<ChildrenWanted, ChildRow>(`relation.${name}`, (q, p) =>
    q
      .selectFrom('relation')
      .select([...childColumns])
      .where('room', '=', p.room)
      .where(column, '=', p.targetId)
      .where('ord', '>', p.after)
      .where('ord', '<', p.before)
      .orderBy('ord', direction)
      .limit(bigint(p.limit)),
  );
}
function defineChildrenOfType(name: string, direction: 'asc' | 'desc') {
  return defineRead<ChildrenWanted & { relType: string }, ChildRow>(`relation.${name}`, (q, p) =>
    q
      .selectFrom('relation')
      .select([...childColumns])
      .where('room', '=', p.room)
      .where('target_id', '=', p.targetId)
      .where('rel_type', '=', p.relType)
      .where('ord', '>', p.after)
      .where('ord', '<', p.before)
      .orderBy('ord', direction)
      .limit(bigint(p.limit)),
  );
}

/** By how many relations away from the event they are. */
export const childrenBackwards = {
  direct: defineChildren('childrenBackwards', 'target_id', 'desc'),
  ofType: defineChildrenOfType('childrenOfTypeBackwards', 'desc'),
  second: defineChildren('secondBackwards', 'target2_id', 'desc'),
  third: defineChildren('thirdBackwards', 'target3_id', 'desc'),
};
export const childrenForwards = {
  direct: defineChildren('childrenForwards', 'target_id', 'asc'),
  ofType: defineChildrenOfType('childrenOfTypeForwards', 'asc'),
  second: defineChildren('secondForwards', 'target2_id', 'asc'),
  third: defineChildren('thirdForwards', 'target3_id', 'asc'),
};

/** What is to be bundled with an event; null where there is nothing of the kind. */
export interface BundleRow {
  readonly nid: number;
  /** The most recent valid edit. */
  readonly edit: number | null;
  /** The newest event of the thread, and whether the viewer sent any in it. */
  readonly latest: number | null;
  readonly participated: number | null;
  /** The thread's events; how many of them came later than `before`, and how many those senders sent that are left out. */
  readonly events: number | null;
  readonly later: number;
  readonly ignored: number;
  readonly reference: number | null;
}

/**
 * Of those of the events that something relates to, in no particular order. Nothing at or above `before` counts, and nothing
 * of senders in `ignored`. Costs a few index seeks for each event, however many relate to it, if nobody is ignored.
 */
export const bundlesOf = defineRead<
  { nids: readonly number[]; before: number; user: number; ignored: readonly number[] },
  BundleRow
>('relation.bundles', (q, p) => {
  const before = bigint(p.before);
  return q
    .selectFrom('event as t')
    .where('t.nid', 'in', p.list('nids'))
    .where((e) =>
      e.exists(
        e
          .selectFrom('relation as r')
          .select('r.nid')
          .whereRef('r.room', '=', 't.room')
          .whereRef('r.target_id', '=', 't.event_id'),
      ),
    )
    .select((e) => {
      const related = (relType: string) =>
        e
          .selectFrom('relation as r')
          .whereRef('r.room', '=', 't.room')
          .whereRef('r.target_id', '=', 't.event_id')
          .where('r.rel_type', '=', sql.lit(relType));
      const threaded = related('m.thread');
      return [
        't.nid',
        related('m.replace')
          .select('r.nid')
          .whereRef('r.sender', '=', 't.sender')
          .whereRef('r.variant', '=', 't.type')
          .where('r.ord', '<', before)
          .orderBy('r.ts', 'desc')
          .orderBy('r.event_id', 'desc')
          .limit(1)
          .as('edit'),
        threaded
          .select('r.nid')
          .where('r.ord', '<', before)
          .where('r.sender', 'not in', p.list('ignored'))
          .orderBy('r.ord', 'desc')
          .limit(1)
          .as('latest'),
        threaded.select('r.nid').where('r.sender', '=', p.user).where('r.ord', '<', before).limit(1).as('participated'),
        e
          .selectFrom('thread as h')
          .select('h.events')
          .whereRef('h.room', '=', 't.room')
          .whereRef('h.root_id', '=', 't.event_id')
          .as('events'),
        e.fn
          .coalesce(
            threaded.select((x) => x.fn.countAll<number>().as('n')).where('r.ord', '>=', before),
            sql<number>`0`,
          )
          .as('later'),
        e.fn
          .coalesce(
            threaded
              .select((x) => x.fn.countAll<number>().as('n'))
              .where('r.sender', 'in', p.list('ignored'))
              .where('r.ord', '<', before),
            sql<number>`0`,
          )
          .as('ignored'),
        related('m.reference').select('r.nid').where('r.ord', '<', before).limit(1).as('reference'),
      ];
    });
});

/** A child as the rules of visibility and of edits want to know it. */
export interface KnownChild {
  readonly nid: number;
  readonly event_id: string;
  readonly pos: number | null;
  readonly sender: number;
  readonly ts: number;
  readonly variant: string;
}

/** The newest first, below `before`. */
export const newestChildren = defineRead<
  { room: number; targetId: string; relType: string; before: number; limit: number },
  KnownChild
>('relation.newestChildren', (q, p) =>
  q
    .selectFrom('relation as r')
    .innerJoin('event as e', 'e.nid', 'r.nid')
    .select(['r.nid', 'r.event_id', 'e.pos', 'r.sender', 'r.ts', 'r.variant'])
    .where('r.room', '=', p.room)
    .where('r.target_id', '=', p.targetId)
    .where('r.rel_type', '=', p.relType)
    .where('r.ord', '<', p.before)
    .orderBy('r.ord', 'desc')
    .limit(bigint(p.limit)),
);

/** What refers to the events, the oldest first for each of them; `each` for one of them at most, and `limit` for all. */
export const referencesTo = defineRead<
  { nids: readonly number[]; before: number; each: number; limit: number },
  { target: number; event_id: string; sender: number; pos: number | null }
>('relation.references', (q, p) =>
  q
    .with(
      (cte) => cte('t').materialized(),
      (db) =>
        db
          .selectFrom('event as e')
          .where('e.nid', 'in', p.list('nids'))
          .select((e) => [
            'e.nid',
            'e.room',
            'e.event_id',
            e
              .selectFrom('relation as x')
              .select('x.ord')
              .whereRef('x.room', '=', 'e.room')
              .whereRef('x.target_id', '=', 'e.event_id')
              .where('x.rel_type', '=', sql.lit('m.reference'))
              .orderBy('x.ord')
              .limit(1)
              .offset(bigint(p.each))
              .as('end_ord'),
          ]),
    )
    .selectFrom('t')
    .innerJoin('relation as r', (join) =>
      join
        .onRef('r.room', '=', 't.room')
        .onRef('r.target_id', '=', 't.event_id')
        .on('r.rel_type', '=', sql.lit('m.reference')),
    )
    .innerJoin('event as c', 'c.nid', 'r.nid')
    .select(['t.nid as target', 'r.event_id', 'r.sender', 'c.pos'])
    .where('r.ord', '<', bigint(p.before))
    .where((e) => e.or([e('t.end_ord', 'is', null), e('r.ord', '<', e.ref('t.end_ord'))]))
    .orderBy('t.nid')
    .orderBy('r.ord')
    .limit(bigint(p.limit)),
);

/**
 * Those of the events that something relates to, of one of the types and by one of the users; `anyType` and `anySender` 1 leave
 * the lists out of account. Nothing at or above `before` counts.
 */
export const relatedEvents = defineRead<
  {
    nids: readonly number[];
    before: number;
    anyType: number;
    relTypes: readonly string[];
    anySender: number;
    senders: readonly number[];
  },
  { nid: number }
>('relation.relatedEvents', (q, p) =>
  q
    .selectFrom('event as t')
    .select('t.nid')
    .where('t.nid', 'in', p.list('nids'))
    .where((e) =>
      e.exists(
        e
          .selectFrom('relation as r')
          .select('r.nid')
          .whereRef('r.room', '=', 't.room')
          .whereRef('r.target_id', '=', 't.event_id')
          .where('r.ord', '<', bigint(p.before))
          .where((x) => x.or([x(bigint(p.anyType), '=', 1), x('r.rel_type', 'in', p.list('relTypes'))]))
          .where((x) => x.or([x(bigint(p.anySender), '=', 1), x('r.sender', 'in', p.list('senders'))])),
      ),
    ),
);
