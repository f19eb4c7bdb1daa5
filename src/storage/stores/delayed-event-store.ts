/** Events that are sent later: table delayed_event. MSC4140. */
import { bigint, defineRead, defineWrite } from '../query.ts';

export interface DelayedEventRow {
  readonly delay_id: string;
  readonly user_nid: number;
  readonly user_id: string;
  readonly room: number;
  readonly room_id: string;
  readonly type: string;
  /** null: no state event. */
  readonly state_key: string | null;
  /** JSON text. */
  readonly content: string;
  readonly sticky_ms: number | null;
  readonly delay_ms: number;
  readonly scheduled_at: number;
  readonly send_at: number;
  readonly device: number;
  /** null: it waits. */
  readonly finalised_ts: number | null;
  /** Set when it was sent. */
  readonly event_id: string | null;
  /** JSON text; set when it could not be sent. */
  readonly error: string | null;
}
const columns = [
  'd.delay_id',
  'd.user_nid',
  'u.user_id',
  'd.room',
  'r.room_id',
  'd.type',
  'd.state_key',
  'd.content',
  'd.sticky_ms',
  'd.delay_ms',
  'd.scheduled_at',
  'd.send_at',
  'd.device',
  'd.finalised_ts',
  'd.event_id',
  'd.error',
] as const;

export const delayedEvent = defineRead<{ delayId: string }, DelayedEventRow>('delayedEvent.find', (q, p) =>
  q
    .selectFrom('delayed_event as d')
    .innerJoin('user_name as u', 'u.user_nid', 'd.user_nid')
    .innerJoin('room as r', 'r.room', 'd.room')
    .select([...columns])
    .where('d.delay_id', '=', p.delayId),
);

/** What waits, of one user, in the order in which it will be sent. */
export const scheduledOfUser = defineRead<{ user: number; limit: number }, DelayedEventRow>(
  'delayedEvent.scheduledOfUser',
  (q, p) =>
    q
      .selectFrom('delayed_event as d')
      .innerJoin('user_name as u', 'u.user_nid', 'd.user_nid')
      .innerJoin('room as r', 'r.room', 'd.room')
      .select([...columns])
      .where('d.user_nid', '=', p.user)
      .where('d.finalised_ts', 'is', null)
      .orderBy('d.send_at')
      .orderBy('d.delay_id')
      .limit(bigint(p.limit)),
);

/** What waits no longer, of one user, the newest first. */
export const finalisedOfUser = defineRead<{ user: number; limit: number }, DelayedEventRow>(
  'delayedEvent.finalisedOfUser',
  (q, p) =>
    q
      .selectFrom('delayed_event as d')
      .innerJoin('user_name as u', 'u.user_nid', 'd.user_nid')
      .innerJoin('room as r', 'r.room', 'd.room')
      .select([...columns])
      .where('d.user_nid', '=', p.user)
      .where('d.finalised_ts', 'is not', null)
      .orderBy('d.finalised_ts', 'desc')
      .orderBy('d.delay_id')
      .limit(bigint(p.limit)),
);

/** What is due, the longest overdue first. */
export const dueDelayedEvents = defineRead<{ now: number; limit: number }, { delay_id: string; room: number }>(
  'delayedEvent.due',
  (q, p) =>
    q
      .selectFrom('delayed_event')
      .select(['delay_id', 'room'])
      .where('finalised_ts', 'is', null)
      .where('send_at', '<=', p.now)
      .orderBy('send_at')
      .orderBy('delay_id')
      .limit(bigint(p.limit)),
);

/** The one that is due next. */
export const nextDelayedEvent = defineRead<Record<never, never>, { send_at: number }>('delayedEvent.next', (q) =>
  q
    .selectFrom('delayed_event')
    .select('send_at')
    .where('finalised_ts', 'is', null)
    .orderBy('send_at')
    .orderBy('delay_id')
    .limit(1),
);

export const delayedEventOfTransaction = defineRead<
  { device: number; path: string; txn: string },
  { delay_id: string }
>('delayedEvent.ofTransaction', (q, p) =>
  q
    .selectFrom('delayed_event')
    .select('delay_id')
    .where('device', '=', p.device)
    .where('txn_path', '=', p.path)
    .where('txn', '=', p.txn),
);

/** What others than `sender` wait to set the same state to. */
export const scheduledState = defineRead<
  { room: number; type: string; stateKey: string; sender: number },
  { delay_id: string }
>('delayedEvent.scheduledState', (q, p) =>
  q
    .selectFrom('delayed_event')
    .select('delay_id')
    .where('room', '=', p.room)
    .where('type', '=', p.type)
    .where('state_key', '=', p.stateKey)
    .where('finalised_ts', 'is', null)
    .where('user_nid', '<>', p.sender),
);

/** Rooms whose state somebody waits to change. */
export const roomsWithScheduledState = defineRead<Record<never, never>, { room: number }>(
  'delayedEvent.roomsWithState',
  (q) =>
    q
      .selectFrom('delayed_event')
      .select('room')
      .distinct()
      .where('finalised_ts', 'is', null)
      .where('state_key', 'is not', null),
);

/** By which delayed events these came about, where that is still known. */
export const delayIdsOfEvents = defineRead<{ nids: readonly number[] }, { nid: number; delay_id: string }>(
  'delayedEvent.ofEvents',
  (q, p) =>
    q
      .selectFrom('delayed_event')
      .select((e) => [e.ref('event_nid').$notNull().as('nid'), 'delay_id'])
      .where('event_nid', 'in', p.list('nids')),
);

export const insertDelayedEvent = defineWrite<{
  delayId: string;
  user: number;
  room: number;
  type: string;
  stateKey: string | null;
  content: string;
  stickyMs: number | null;
  delayMs: number;
  scheduledAt: number;
  sendAt: number;
  device: number;
  path: string | null;
  txn: string | null;
}>('delayedEvent.insert', (q, p) =>
  q.insertInto('delayed_event').values({
    delay_id: p.delayId,
    user_nid: p.user,
    room: p.room,
    type: p.type,
    state_key: p.stateKey,
    content: p.content,
    sticky_ms: p.stickyMs,
    delay_ms: p.delayMs,
    scheduled_at: p.scheduledAt,
    send_at: p.sendAt,
    device: p.device,
    txn_path: p.path,
    txn: p.txn,
  }),
);

export const restartDelayedEvent = defineWrite<{ delayId: string; scheduledAt: number; sendAt: number }>(
  'delayedEvent.restart',
  (q, p) =>
    q
      .updateTable('delayed_event')
      .set({ scheduled_at: p.scheduledAt, send_at: p.sendAt })
      .where('delay_id', '=', p.delayId)
      .where('finalised_ts', 'is', null),
);

/** Run with `changes: 1`, in the unit of the event if it was sent: what was finalised before is not finalised again. */
export const finaliseDelayedEvent = defineWrite<{
  delayId: string;
  ts: number;
  nid: number | null;
  eventId: string | null;
  error: string | null;
}>('delayedEvent.finalise', (q, p) =>
  q
    .updateTable('delayed_event')
    .set({ finalised_ts: p.ts, event_nid: p.nid, event_id: p.eventId, error: p.error })
    .where('delay_id', '=', p.delayId)
    .where('finalised_ts', 'is', null),
);

/** Of all users. */
export const deleteFinalisedBefore = defineWrite<{ ts: number }>('delayedEvent.deleteFinalisedBefore', (q, p) =>
  q.deleteFrom('delayed_event').where('finalised_ts', 'is not', null).where('finalised_ts', '<', p.ts),
);

/** Leaves a user's newest ones. */
export const deleteOldestFinalised = defineWrite<{ user: number; kept: number }>(
  'delayedEvent.deleteOldestFinalised',
  (q, p) =>
    q
      .deleteFrom('delayed_event')
      .where('delay_id', 'in', (e) =>
        e
          .selectFrom('delayed_event')
          .select('delay_id')
          .where('user_nid', '=', p.user)
          .where('finalised_ts', 'is not', null)
          .orderBy('finalised_ts', 'desc')
          .orderBy('delay_id')
          .offset(bigint(p.kept))
          .limit(1_000),
      ),
);

export const deleteDelayedEventsOfUser = defineWrite<{ user: number }>('delayedEvent.deleteOfUser', (q, p) =>
  q.deleteFrom('delayed_event').where('user_nid', '=', p.user),
);
