/** How it goes with asking other servers: table destination. */
import { defineRead, defineWrite } from '../query.ts';

export interface DestinationRow {
  server: string;
  failures: number;
  failing_since_ts: number | null;
  retry_ts: number;
  last_error: string | null;
  last_success_ts: number | null;
}

export const failingDestinations = defineRead<Record<never, never>, DestinationRow>('destination.failing', (q) =>
  q.selectFrom('destination').selectAll().where('failures', '>', 0),
);

export const destinationRow = defineRead<{ server: string }, DestinationRow>('destination.find', (q, p) =>
  q.selectFrom('destination').selectAll().where('server', '=', p.server),
);

/** Makes or replaces the row. `last_success_ts` stays where null is given. */
export const putDestination = defineWrite<{
  server: string;
  failures: number;
  failingSinceTs: number | null;
  retryTs: number;
  lastError: string | null;
  lastSuccessTs: number | null;
}>('destination.put', (q, p) =>
  q
    .insertInto('destination')
    .values({
      server: p.server,
      failures: p.failures,
      failing_since_ts: p.failingSinceTs,
      retry_ts: p.retryTs,
      last_error: p.lastError,
      last_success_ts: p.lastSuccessTs,
    })
    .onConflict((conflict) =>
      conflict.column('server').doUpdateSet((e) => ({
        failures: e.ref('excluded.failures'),
        failing_since_ts: e.ref('excluded.failing_since_ts'),
        retry_ts: e.ref('excluded.retry_ts'),
        last_error: e.ref('excluded.last_error'),
        last_success_ts: e.fn.coalesce('excluded.last_success_ts', 'destination.last_success_ts'),
      })),
    ),
);
