/**
 * `node name-server-process.ts ADDRESS ZONE`: answers questions for the names of a zone over UDP, and says `ready` when it does. ZONE is
 * JSON: by name `{ a?, aaaa?, srv? }`.
 */
import { createSocket } from 'node:dgram';

export interface ZoneRecords {
  /** IPv4 address. */
  readonly a?: string;
  /** IPv6 address. */
  readonly aaaa?: string;
  readonly srv?: { readonly port: number; readonly target: string };
}
export type Zone = Readonly<Record<string, ZoneRecords>>;

if (import.meta.main) {
  const [address = '', zone = '{}'] = process.argv.slice(2);
  const names = JSON.parse(zone) as Zone;
  const socket = createSocket('udp4');
  socket.on('message', (question, asker) => {
    const answer = answerTo(question, names);
    if (answer !== undefined) socket.send(answer, asker.port, asker.address);
  });
  socket.bind(53, address, () => console.log('ready'));
}

const headerBytes = 12;
const types = { a: 1, aaaa: 28, srv: 33 } as const;

/** undefined: it is no question. https://www.rfc-editor.org/rfc/rfc1035#section-4 */
function answerTo(question: Buffer, zone: Zone): Buffer | undefined {
  const labels: string[] = [];
  let at = headerBytes;
  for (let length = question[at]; length !== undefined && length > 0; length = question[at]) {
    labels.push(question.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  const end = at + 5;
  if (question.length < end) return undefined;
  const records = zone[labels.join('.').toLowerCase()];
  const data = dataOf(records, question.readUInt16BE(at + 1));
  const header = Buffer.alloc(headerBytes);
  question.copy(header, 0, 0, 2);
  // an answer with authority, to whoever may ask recursively; 3: there is no such name
  header.writeUInt16BE(0x8580 | (records === undefined ? 3 : 0), 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(data === undefined ? 0 : 1, 6);
  return Buffer.concat([
    header,
    question.subarray(headerBytes, end),
    ...(data === undefined ? [] : [recordOf(question, at, data)]),
  ]);
}

/** Of the name that was asked for, for a minute. */
function recordOf(question: Buffer, typeAt: number, data: Buffer): Buffer {
  const head = Buffer.alloc(12);
  head.writeUInt16BE(0xc000 | headerBytes, 0);
  question.copy(head, 2, typeAt + 1, typeAt + 5);
  head.writeUInt32BE(60, 6);
  head.writeUInt16BE(data.length, 10);
  return Buffer.concat([head, data]);
}

function dataOf(records: ZoneRecords | undefined, type: number): Buffer | undefined {
  if (type === types.a && records?.a !== undefined) return Buffer.from(records.a.split('.').map(Number));
  if (type === types.aaaa && records?.aaaa !== undefined) return bytesOfIpv6(records.aaaa);
  if (type !== types.srv || records?.srv === undefined) return undefined;
  const { port, target } = records.srv;
  const numbers = Buffer.alloc(6);
  numbers.writeUInt16BE(port, 4);
  const labels = target.split('.').flatMap((label) => [Buffer.from([label.length]), Buffer.from(label)]);
  return Buffer.concat([numbers, ...labels, Buffer.from([0])]);
}

/** Of an address with at most one "::". */
function bytesOfIpv6(address: string): Buffer {
  const [head = '', tail = ''] = address.split('::');
  const groupsOf = (text: string): number[] => (text === '' ? [] : text.split(':').map((group) => parseInt(group, 16)));
  const [first, last] = [groupsOf(head), groupsOf(tail)];
  const groups = [...first, ...Array.from({ length: 8 - first.length - last.length }, () => 0), ...last];
  return Buffer.from(groups.flatMap((group) => [group >> 8, group & 0xff]));
}
