/** What one request to another server carries. https://spec.matrix.org/v1.19/server-server-api/#transactions */
import type { ServerName } from '../../matrix/ids/ids.ts';
import type { OutgoingPdu } from './outgoing-pdu.ts';

export interface Transaction {
  /** Never used again, so that the other server takes it once, however often it is sent. */
  readonly txnId: string;
  /** Canonical JSON. The same at every attempt. */
  readonly body: Buffer;
  readonly pdus: readonly OutgoingPdu[];
  readonly edus: readonly OutgoingEdu[];
}
export interface OutgoingEdu {
  /** Canonical. */
  readonly json: string;
  /** Of one that is in the database; undefined: it is only of the moment. */
  readonly pos: number | undefined;
}
export type TransactionContent = Pick<Transaction, 'pdus' | 'edus'>;

export function eduPositionsIn({ edus }: TransactionContent): number[] {
  return edus.flatMap(({ pos }) => pos ?? []);
}

/** Its content in two parts, each in its order; undefined: there is one thing in it. */
export function halvesOf({
  pdus,
  edus,
}: TransactionContent): readonly [TransactionContent, TransactionContent] | undefined {
  const count = pdus.length + edus.length;
  if (count < 2) return undefined;
  const half = Math.ceil(count / 2);
  const ofEdus = Math.max(0, half - pdus.length);
  return [
    { pdus: pdus.slice(0, half), edus: edus.slice(0, ofEdus) },
    { pdus: pdus.slice(half), edus: edus.slice(ofEdus) },
  ];
}

export function transactionBody(
  origin: ServerName,
  originServerTs: number,
  { pdus, edus }: TransactionContent,
): Buffer {
  const head = edus.length === 0 ? '{' : `{"edus":[${edus.map(({ json }) => json).join(',')}],`;
  const parts: Buffer[] = [
    Buffer.from(`${head}"origin":${JSON.stringify(origin)},"origin_server_ts":${originServerTs},"pdus":[`),
  ];
  for (const [at, { text }] of pdus.entries()) {
    if (at > 0) parts.push(comma);
    parts.push(text);
  }
  parts.push(end);
  return Buffer.concat(parts);
}

const comma = Buffer.from(',');
const end = Buffer.from(']}');
