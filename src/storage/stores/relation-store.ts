/** Which events relate to which. https://spec.matrix.org/v1.19/client-server-api/#forming-relationships-between-events */
import { type RawBuilder, sql } from 'kysely';
import { defineRead, defineWrite } from '../query.ts';

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

const bigint = (value: RawBuilder<number>) => sql<number>`cast(${value} as bigint)`;
