import type { Counter, Metrics } from '../../platform/metrics.ts';

/**
 * What became of a PDU. `known`: it had its place already. `refused`: malformed, forged, of a room that we are not in, or
 * from a server that may not take part in it. `given-up`: what it refers to could not be had.
 */
export type PduFate = 'accepted' | 'rejected' | 'soft-failed' | 'known' | 'staged' | 'refused' | 'given-up';

export interface ReceiveCounters {
  readonly transactions: Counter<'outcome'>;
  readonly pdus: Counter<'fate'>;
  readonly edus: Counter<'outcome'>;
  readonly gaps: Counter<'outcome'>;
}

export function receiveCounters(metrics: Metrics): ReceiveCounters {
  return {
    transactions: metrics.counter(
      'veche_federation_received_transactions_total',
      'Transactions of other servers: new, or answered as before',
      ['outcome'],
    ),
    pdus: metrics.counter('veche_federation_received_pdus_total', 'Events of other servers, by what became of them', [
      'fate',
    ]),
    edus: metrics.counter('veche_federation_received_edus_total', 'EDUs of other servers, by what became of them', [
      'outcome',
    ]),
    gaps: metrics.counter(
      'veche_federation_gaps_total',
      'Times that events before an event were asked for, by whether they came',
      ['outcome'],
    ),
  };
}
