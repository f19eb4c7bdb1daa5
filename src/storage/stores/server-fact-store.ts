/** Facts that come and go with a condition; see storage/server-facts.ts for the others. */
import { defineWrite } from '../query.ts';

/** Run with `changes: 1`: whoever comes second finds it gone. */
export const takeServerFact = defineWrite<{ name: string; value: string }>('serverFact.take', (q, p) =>
  q.deleteFrom('server_fact').where('name', '=', p.name).where('value', '=', p.value),
);
