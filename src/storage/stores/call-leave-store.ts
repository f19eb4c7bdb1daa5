/** Delayed events that end somebody's part in a call: table call_leave. MSC4195. */
import { defineRead, defineWrite } from '../query.ts';

export interface CallLeaveRow {
  readonly livekit_room: string;
  readonly identity: string;
  readonly delay_id: string;
  readonly user_nid: number;
}

export const callLeaves = defineRead<Record<never, never>, CallLeaveRow>('callLeave.all', (q) =>
  q
    .selectFrom('call_leave')
    .select(['livekit_room', 'identity', 'delay_id', 'user_nid'])
    .orderBy('livekit_room')
    .orderBy('identity'),
);

export const setCallLeave = defineWrite<{ room: string; identity: string; delayId: string; user: number }>(
  'callLeave.set',
  (q, p) =>
    q
      .insertInto('call_leave')
      .values({ livekit_room: p.room, identity: p.identity, delay_id: p.delayId, user_nid: p.user })
      .onConflict((conflict) =>
        conflict
          .columns(['livekit_room', 'identity'])
          .doUpdateSet((e) => ({ delay_id: e.ref('excluded.delay_id'), user_nid: e.ref('excluded.user_nid') })),
      ),
);

export const deleteCallLeave = defineWrite<{ room: string; identity: string; delayId: string }>(
  'callLeave.delete',
  (q, p) =>
    q
      .deleteFrom('call_leave')
      .where('livekit_room', '=', p.room)
      .where('identity', '=', p.identity)
      .where('delay_id', '=', p.delayId),
);
