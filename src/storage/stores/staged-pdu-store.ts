/** Events of other servers that were acknowledged and wait for events that they refer to. */
import { sql } from 'kysely';
import { bigint, defineRead, defineWrite } from '../query.ts';

export interface StagedPduRow {
  readonly event_id: string;
  readonly nid: number;
  /** Who sent it. */
  readonly server_nid: number;
  readonly ts: number;
  readonly body: Buffer;
}

/** In the order in which they came. */
export const stagedPdusOf = defineRead<{ room: number; limit: number }, StagedPduRow>('stagedPdu.of', (q, p) =>
  q
    .selectFrom('staged_pdu')
    .select(['event_id', 'nid', 'server_nid', 'ts', 'body'])
    .where('room', '=', p.room)
    .orderBy('nid')
    .limit(bigint(p.limit)),
);

export const stagedSizes = defineRead<
  Record<never, never>,
  { room: number; server_nid: number; pdus: number; bytes: number }
>('stagedPdu.sizes', (q) =>
  q
    .selectFrom('staged_pdu')
    .select((e) => [
      'room',
      'server_nid',
      e.fn.countAll<number>().as('pdus'),
      sql<number>`cast(sum(length(body)) as bigint)`.as('bytes'),
    ])
    .groupBy(['room', 'server_nid']),
);

/** One that waits already goes on waiting as it is. */
export const stagePdu = defineWrite<{
  room: number;
  eventId: string;
  nid: number;
  server: number;
  ts: number;
  body: Buffer;
}>('stagedPdu.stage', (q, p) =>
  q
    .insertInto('staged_pdu')
    .values({ room: p.room, event_id: p.eventId, nid: p.nid, server_nid: p.server, ts: p.ts, body: p.body })
    .onConflict((conflict) => conflict.columns(['room', 'event_id']).doNothing()),
);

export const unstagePdu = defineWrite<{ room: number; eventId: string }>('stagedPdu.unstage', (q, p) =>
  q.deleteFrom('staged_pdu').where('room', '=', p.room).where('event_id', '=', p.eventId),
);
