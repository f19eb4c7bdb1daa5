/** Client transactions. https://spec.matrix.org/v1.19/client-server-api/#transaction-identifiers */
import { bigint, defineRead, defineWrite } from '../query.ts';

export const findTransaction = defineRead<
  { device: number; path: string; txn: string },
  { nid: number | null; event_id: string | null }
>('txn.find', (q, p) =>
  q
    .selectFrom('txn_id as t')
    .leftJoin('event as e', 'e.nid', 't.nid')
    .select(['t.nid', 'e.event_id'])
    .where('t.device', '=', p.device)
    .where('t.path', '=', p.path)
    .where('t.txn', '=', p.txn),
);

/** Transactions of messages to devices begin with it; their insertion tells whether they are new. */
export const toDevicePath = 'sendToDevice/';
/** The next text that is no beginning of such a path. */
const afterToDevicePath = 'sendToDevice0';

/** But for those of messages to devices. */
export const transactionsOfDevice = defineRead<{ device: number; limit: number }, { path: string; txn: string }>(
  'txn.ofDevice',
  (q, p) =>
    q
      .selectFrom('txn_id')
      .select(['path', 'txn'])
      .where('device', '=', p.device)
      .where((e) => e.or([e('path', '<', toDevicePath), e('path', '>=', afterToDevicePath)]))
      .limit(bigint(p.limit)),
);

/** The transaction ids of those of the events that this device sent. */
export const transactionsOfEvents = defineRead<
  { device: number; nids: readonly number[] },
  { nid: number; txn: string }
>('txn.ofEvents', (q, p) =>
  q
    .selectFrom('txn_id')
    .select((e) => [e.ref('nid').$notNull().as('nid'), 'txn'])
    .where('nid', 'in', p.list('nids'))
    .where('device', '=', p.device),
);

/** Fails with UniqueViolation when the transaction happened already. */
export const insertTransaction = defineWrite<{
  device: number;
  path: string;
  txn: string;
  nid: number | null;
  ts: number;
}>('txn.insert', (q, p) =>
  q.insertInto('txn_id').values({ device: p.device, path: p.path, txn: p.txn, nid: p.nid, ts: p.ts }),
);

/** Clients retry within minutes; a day is plenty. */
export const dropTransactionsBefore = defineWrite<{ ts: number }>('txn.dropBefore', (q, p) =>
  q.deleteFrom('txn_id').where('ts', '<', p.ts),
);
