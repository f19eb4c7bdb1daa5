/** Which events relate to which. https://spec.matrix.org/v1.19/client-server-api/#forming-relationships-between-events */
import { defineWrite } from '../query.ts';

export const insertRelation = defineWrite<{ targetId: string; relType: string; nid: number; room: number }>(
  'relation.insert',
  (q, p) =>
    q
      .insertInto('relation')
      .values({ target_id: p.targetId, rel_type: p.relType, nid: p.nid, room: p.room })
      .onConflict((conflict) => conflict.doNothing()),
);
