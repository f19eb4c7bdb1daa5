/** What users reported to the administrators: a room, an event in it, or a user. */
import { bigint, defineRead, defineWrite } from '../query.ts';

export interface ReportRow {
  readonly report: number;
  readonly user_nid: number;
  readonly room: number | null;
  readonly event_id: string | null;
  readonly target_user: string | null;
  readonly reason: string | null;
  readonly score: number | null;
  /** Milliseconds since the Unix epoch. */
  readonly ts: number;
}

export const insertReport = defineWrite<{
  report: number;
  user: number;
  room: number | null;
  eventId: string | null;
  targetUser: string | null;
  reason: string | null;
  score: number | null;
  ts: number;
}>('report.insert', (q, p) =>
  q.insertInto('report').values({
    report: p.report,
    user_nid: p.user,
    room: p.room,
    event_id: p.eventId,
    target_user: p.targetUser,
    reason: p.reason,
    score: p.score,
    ts: p.ts,
  }),
);

/** Those after a report, oldest first; 0: from the first. */
export const reportsAfter = defineRead<{ after: number; limit: number }, ReportRow>('report.after', (q, p) =>
  q
    .selectFrom('report')
    .select(['report', 'user_nid', 'room', 'event_id', 'target_user', 'reason', 'score', 'ts'])
    .where('report', '>', p.after)
    .orderBy('report')
    .limit(bigint(p.limit)),
);
