/** Events as readers want them: header and body together, by id or along a room's timeline (`ord`). */
import { sql } from 'kysely';
import { EventFlag } from '../event-flags.ts';
import { bigint, defineRead, defineWrite } from '../query.ts';

/** Columns as in the table `event`, and the stored body. */
export interface EventRow {
  readonly nid: number;
  readonly event_id: string;
  readonly room: number;
  readonly ord: number | null;
  readonly pos: number | null;
  readonly sender: number;
  readonly skey: number | null;
  readonly flags: number;
  readonly redacted_by: number | null;
  readonly notify_seq: number;
  readonly body: Buffer;
}
/** Without the stored body. */
export type EventPlace = Omit<EventRow, 'body'>;

const placeColumns = [
  'e.nid',
  'e.event_id',
  'e.room',
  'e.ord',
  'e.pos',
  'e.sender',
  'e.skey',
  'e.flags',
  'e.redacted_by',
  'e.notify_seq',
] as const;
const columns = [...placeColumns, 'b.body'] as const;

export const eventById = defineRead<{ eventId: string }, EventRow>('timeline.eventById', (q, p) =>
  q
    .selectFrom('event as e')
    .innerJoin('event_body as b', 'b.nid', 'e.nid')
    .select([...columns])
    .where('e.event_id', '=', p.eventId),
);

export const eventsByNids = defineRead<{ nids: readonly number[] }, EventRow>('timeline.eventsByNids', (q, p) =>
  q
    .selectFrom('event as e')
    .innerJoin('event_body as b', 'b.nid', 'e.nid')
    .select([...columns])
    .where('e.nid', 'in', p.list('nids')),
);

export const eventsByIds = defineRead<{ eventIds: readonly string[] }, EventRow>('timeline.eventsByIds', (q, p) =>
  q
    .selectFrom('event as e')
    .innerJoin('event_body as b', 'b.nid', 'e.nid')
    .select([...columns])
    .where('e.event_id', 'in', p.list('eventIds')),
);

export const eventIdsByNids = defineRead<{ nids: readonly number[] }, { event_id: string }>(
  'timeline.eventIdsByNids',
  (q, p) => q.selectFrom('event').select('event_id').where('nid', 'in', p.list('nids')),
);
export const bodiesOfEvents = defineRead<{ nids: readonly number[] }, { body: Buffer }>(
  'timeline.bodiesOfEvents',
  (q, p) => q.selectFrom('event_body').select('body').where('nid', 'in', p.list('nids')),
);

/** The newest first, from below `before` down to above `after`. */
export const timelineBackwards = defineRead<{ room: number; before: number; after: number; limit: number }, EventRow>(
  'timeline.backwards',
  (q, p) =>
    q
      .selectFrom('event as e')
      .innerJoin('event_body as b', 'b.nid', 'e.nid')
      .select([...columns])
      .where('e.room', '=', p.room)
      .where('e.ord', '<', p.before)
      .where('e.ord', '>', p.after)
      .orderBy('e.ord', 'desc')
      .limit(bigint(p.limit)),
);

/** The newest of each room, from below `before` on: at most `limit` of each, in no order. */
export const newestOfRooms = defineRead<{ rooms: readonly number[]; before: number; limit: number }, EventPlace>(
  'timeline.newestOfRooms',
  (q, p) =>
    q
      .selectFrom('room as r')
      .innerJoin('event as e', 'e.room', 'r.room')
      .select([...placeColumns])
      .where('r.room', 'in', p.list('rooms'))
      .where('e.ord', '<', p.before)
      .where('e.ord', '>', (x) =>
        x.fn.coalesce(
          x
            .selectFrom('event as d')
            .select('d.ord')
            .whereRef('d.room', '=', 'r.room')
            .where('d.ord', '<', p.before)
            .orderBy('d.ord', 'desc')
            .limit(1)
            .offset(bigint(p.limit)),
          x.lit(-1),
        ),
      ),
);

/** The oldest first, from above `after` up to below `before`. */
export const timelineForwards = defineRead<{ room: number; before: number; after: number; limit: number }, EventRow>(
  'timeline.forwards',
  (q, p) =>
    q
      .selectFrom('event as e')
      .innerJoin('event_body as b', 'b.nid', 'e.nid')
      .select([...columns])
      .where('e.room', '=', p.room)
      .where('e.ord', '<', p.before)
      .where('e.ord', '>', p.after)
      .orderBy('e.ord')
      .limit(bigint(p.limit)),
);

/** The event at an order value, or the next one after it. */
export const nextInTimeline = defineRead<{ room: number; ord: number }, { event_id: string; flags: number }>(
  'timeline.next',
  (q, p) =>
    q
      .selectFrom('event')
      .select(['event_id', 'flags'])
      .where('room', '=', p.room)
      .where('ord', '>=', p.ord)
      .orderBy('ord')
      .limit(1),
);

/** How many events of the room the default push rules notify for, of those before an order value. */
export const notifySeqBefore = defineRead<{ room: number; before: number }, { notify_seq: number }>(
  'timeline.notifySeqBefore',
  (q, p) =>
    q
      .selectFrom('event')
      .select('notify_seq')
      .where('room', '=', p.room)
      .where('ord', '<', p.before)
      .orderBy('ord', 'desc')
      .limit(1),
);

export const replaceBody = defineWrite<{ nid: number; body: Buffer }>('timeline.replaceBody', (q, p) =>
  q.updateTable('event_body').set({ body: p.body }).where('nid', '=', p.nid),
);
export const markRedacted = defineWrite<{ nid: number; flags: number; redactedBy: number }>(
  'timeline.markRedacted',
  (q, p) => q.updateTable('event').set({ flags: p.flags, redacted_by: p.redactedBy }).where('nid', '=', p.nid),
);
/** The same of an event that is being stored, whose other flags are not known yet. */
export const markRedactedBy = defineWrite<{ nid: number; redactedBy: number }>('timeline.markRedactedBy', (q, p) =>
  q
    .updateTable('event')
    .set({ flags: sql<number>`flags | ${sql.lit(EventFlag.redacted)}`, redacted_by: p.redactedBy })
    .where('nid', '=', p.nid),
);
