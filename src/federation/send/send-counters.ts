import type { Counter, Metrics } from '../../platform/metrics.ts';

export interface SendCounters {
  readonly transactions: Counter<'outcome'>;
  readonly pdus: Counter<'outcome'>;
  readonly edus: Counter<never>;
}

export function sendCounters(metrics: Metrics): SendCounters {
  return {
    transactions: metrics.counter(
      'veche_federation_sent_transactions_total',
      'Attempts to send a transaction to another server, by how they ended.',
      ['outcome'],
    ),
    pdus: metrics.counter(
      'veche_federation_sent_pdus_total',
      'Events that other servers were sent; refused: the server said that it does not take the event; skipped: it could not read it.',
      ['outcome'],
    ),
    edus: metrics.counter('veche_federation_sent_edus_total', 'EDUs that other servers were sent.'),
  };
}

/** Of all destinations together, as it is at this moment. */
export interface SendLoad {
  readonly busy: number;
  readonly failing: number;
  readonly eventsWaiting: number;
  readonly longestLagMs: number;
}

export function measureLoad(metrics: Metrics, load: () => SendLoad): void {
  const measured = (name: `veche_${string}`, help: string, value: (now: SendLoad) => number): void =>
    metrics.measured(name, help, () => value(load()));
  measured('veche_federation_destinations_busy', 'Servers that have something to be sent.', (now) => now.busy);
  measured('veche_federation_destinations_failing', 'Servers to which nothing gets through.', (now) => now.failing);
  measured(
    'veche_federation_events_waiting',
    'Events in memory that wait to be sent, each counted for every server that is to have it.',
    (now) => now.eventsWaiting,
  );
  measured(
    'veche_federation_longest_lag_seconds',
    'For how long the server that lags most has not had everything.',
    (now) => now.longestLagMs / 1_000,
  );
}
