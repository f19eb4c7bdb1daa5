/** Redactions that came before what they redact: table waiting_redaction. */
import { bigint, defineRead, defineWrite } from '../query.ts';

export const waitingTargets = defineRead<{ room: number; limit: number }, { target_id: string }>(
  'waitingRedaction.targets',
  (q, p) => q.selectFrom('waiting_redaction').select('target_id').where('room', '=', p.room).limit(bigint(p.limit)),
);

export const waitingRedactionsOf = defineRead<{ room: number; targetId: string }, { nid: number }>(
  'waitingRedaction.of',
  (q, p) =>
    q
      .selectFrom('waiting_redaction')
      .select('nid')
      .where('room', '=', p.room)
      .where('target_id', '=', p.targetId)
      .orderBy('nid')
      .limit(10),
);

export const insertWaitingRedaction = defineWrite<{ room: number; targetId: string; nid: number }>(
  'waitingRedaction.insert',
  (q, p) =>
    q
      .insertInto('waiting_redaction')
      .values({ room: p.room, target_id: p.targetId, nid: p.nid })
      .onConflict((conflict) => conflict.doNothing()),
);

/** Their target has come. */
export const deleteWaitingRedactions = defineWrite<{ room: number; targetId: string }>(
  'waitingRedaction.delete',
  (q, p) => q.deleteFrom('waiting_redaction').where('room', '=', p.room).where('target_id', '=', p.targetId),
);

/** They are forgotten themselves. */
export const deleteWaitingRedactionsBy = defineWrite<{ nids: number[] }>('waitingRedaction.deleteBy', (q, p) =>
  q.deleteFrom('waiting_redaction').where('nid', 'in', p.list('nids')),
);
