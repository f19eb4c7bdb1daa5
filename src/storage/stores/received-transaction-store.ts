/** Transactions of other servers that were answered. https://spec.matrix.org/v1.19/server-server-api/#transactions */
import { defineRead, defineWrite } from '../query.ts';

export interface ReceivedTransactionRow {
  readonly slot: number;
  readonly txn: string;
  readonly ts: number;
  readonly answer: string;
}

export const receivedTransactionsOf = defineRead<{ server: number }, ReceivedTransactionRow>(
  'receivedTransaction.of',
  (q, p) =>
    q
      .selectFrom('received_transaction')
      .select(['slot', 'txn', 'ts', 'answer'])
      .where('server_nid', '=', p.server)
      .orderBy('ts'),
);

export const keepReceivedTransaction = defineWrite<{
  server: number;
  slot: number;
  txn: string;
  ts: number;
  answer: string;
}>('receivedTransaction.keep', (q, p) =>
  q
    .insertInto('received_transaction')
    .values({ server_nid: p.server, slot: p.slot, txn: p.txn, ts: p.ts, answer: p.answer })
    .onConflict((conflict) =>
      conflict.columns(['server_nid', 'slot']).doUpdateSet((e) => ({
        txn: e.ref('excluded.txn'),
        ts: e.ref('excluded.ts'),
        answer: e.ref('excluded.answer'),
      })),
    ),
);

export const dropReceivedTransactionsBefore = defineWrite<{ ts: number }>('receivedTransaction.dropBefore', (q, p) =>
  q.deleteFrom('received_transaction').where('ts', '<', p.ts),
);
