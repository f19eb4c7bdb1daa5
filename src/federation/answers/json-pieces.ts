/** Long answers in pieces, so that none is in memory as a whole. */
import type { RoomVersionRules } from '../../matrix/room-versions/rules.ts';
import type { Reads } from '../../storage/snapshot.ts';
import { bodiesOfEvents, eventIdsByNids } from '../../storage/stores/timeline-store.ts';
import { pduText } from './pdu-text.ts';

interface Reading {
  readonly db: Pick<Reads, 'all'>;
  /** Lets other work go on, after each of its queries. */
  readonly pause: () => Promise<void>;
}

/** Members of a JSON object; each is an array whose elements come in pieces, comma-separated. */
export async function* objectOfArrays(
  members: readonly (readonly [name: string, elements: AsyncIterable<Buffer>])[],
): AsyncIterable<Buffer> {
  let before = '{';
  for (const [name, elements] of members) {
    yield Buffer.from(`${before}${JSON.stringify(name)}:[`);
    let isFirst = true;
    for await (const piece of elements) {
      yield isFirst ? piece : Buffer.concat([comma, piece]);
      isFirst = false;
    }
    before = '],';
  }
  yield Buffer.from(']}');
}

/** The PDUs of events, in no particular order. */
export async function* pduPieces(
  { db, pause }: Reading,
  nids: readonly number[],
  rules: RoomVersionRules,
): AsyncIterable<Buffer> {
  for (let at = 0; at < nids.length; at += pdusPerPiece) {
    const rows = await db.all(bodiesOfEvents, { nids: nids.slice(at, at + pdusPerPiece) });
    if (rows.length > 0) yield Buffer.concat(rows.flatMap((row, index) => withComma(pduText(row, rules), index)));
    await pause();
  }
}

/** The ids of events, in no particular order. */
export async function* eventIdPieces({ db, pause }: Reading, nids: readonly number[]): AsyncIterable<Buffer> {
  for (let at = 0; at < nids.length; at += idsPerPiece) {
    const rows = await db.all(eventIdsByNids, { nids: nids.slice(at, at + idsPerPiece) });
    if (rows.length > 0) yield Buffer.from(rows.map((row) => JSON.stringify(row.event_id)).join());
    await pause();
  }
}

const pdusPerPiece = 100;
const idsPerPiece = 500;
const comma = Buffer.from(',');
const withComma = (text: Buffer, index: number): Buffer[] => (index === 0 ? [text] : [comma, text]);
