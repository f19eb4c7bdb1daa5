/** What one request to another server carries. https://spec.matrix.org/v1.19/server-server-api/#transactions */
import type { ServerName } from '../../matrix/ids/ids.ts';
import type { OutgoingPdu } from './outgoing-pdu.ts';

export interface Transaction {
  /** Never used again, so that the other server takes it once, however often it is sent. */
  readonly txnId: string;
  /** Canonical JSON. The same at every attempt. */
  readonly body: Buffer;
  readonly pdus: readonly OutgoingPdu[];
  readonly edus: number;
  /** Of the durable ones. */
  readonly eduPositions: readonly number[];
}

/** `edus`: canonical JSON of each. */
export function transactionBody(
  origin: ServerName,
  originServerTs: number,
  pdus: readonly OutgoingPdu[],
  edus: readonly string[],
): Buffer {
  const head = edus.length === 0 ? '{' : `{"edus":[${edus.join(',')}],`;
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
