/** What a server missed, from the database, room by room. Memory holds one room's share at a time. */
import type { ServerName } from '../../matrix/ids/ids.ts';
import { firstOrdAfter } from '../../rooms/pagination-token.ts';
import type { RoomsContext } from '../../rooms/context.ts';
import { decodeEventBody } from '../../storage/event-body.ts';
import {
  type OutgoingRow,
  ownEventsBetween,
  ownExtremities,
  roomsOfServerWithNews,
  targetedEvents,
} from '../../storage/stores/outgoing-store.ts';
import { limits } from '../../platform/limits.ts';
import type { ServerVisibility } from '../answers/server-visibility.ts';
import type { OutgoingPdu } from './outgoing-pdu.ts';
import type { RoomServers } from './room-servers.ts';

export interface CatchUpParts {
  readonly rooms: Pick<RoomsContext, 'db' | 'dags' | 'partialRooms'>;
  readonly visibility: Pick<ServerVisibility, 'visibleTo'>;
  readonly roomServers: Pick<RoomServers, 'of'>;
  /** Numbers of our own names. */
  readonly locals: readonly number[];
}
export interface CatchUpRange {
  readonly serverNid: number;
  readonly name: ServerName;
  /** Everything at or below it was sent. */
  readonly from: number;
  /** What comes after it is sent otherwise. */
  readonly upTo: number;
  /** Where anything was missed; undefined: perhaps anywhere. */
  readonly rooms: readonly number[] | undefined;
}
export interface CaughtUpRoom {
  /** In the order in which they are sent. */
  readonly pdus: readonly OutgoingPdu[];
  /** Positions of those that the server is told of although it may have left. */
  readonly targeted: readonly number[];
}

const roomsPerRead = 500;
const targetedPerRead = 1_000;

/**
 * Of a room in which much was missed, the newest are sent, and everything of ours that nothing of ours refers to: the other server asks for what lies
 * between. https://spec.matrix.org/v1.19/server-server-api/#backfilling-and-retrieving-missing-events
 */
export async function* catchUp(parts: CatchUpParts, range: CatchUpRange): AsyncGenerator<CaughtUpRoom, void> {
  const { db } = parts.rooms;
  const { serverNid: server, upTo } = range;
  const targeted = await db.all(targetedEvents, { server, upTo, limit: targetedPerRead });
  const byRoom = Map.groupBy(targeted, ({ room }) => room);
  for await (const room of roomsOf(parts, range)) {
    const rows = (await parts.roomServers.of(room)).has(server) ? await missedIn(parts, range, room) : [];
    yield together(rows, byRoom.get(room) ?? []);
    byRoom.delete(room);
  }
  for (const rows of byRoom.values()) yield together([], rows);
}

async function* roomsOf(
  { rooms: { db, partialRooms } }: CatchUpParts,
  range: CatchUpRange,
): AsyncGenerator<number, void> {
  if (range.rooms !== undefined) return yield* range.rooms;
  // That it is in these is not among what is read below.
  await partialRooms.load();
  const partial = new Set(partialRooms.all().map(({ room }) => room));
  yield* partial;
  const ord = firstOrdAfter(range.from) - 1;
  for (let above = 0; ;) {
    const rows = await db.all(roomsOfServerWithNews, { server: range.serverNid, ord, above, limit: roomsPerRead });
    for (const { room } of rows) if (!partial.has(room)) yield room;
    const last = rows.at(-1);
    if (last === undefined || rows.length < roomsPerRead) return;
    above = last.room;
  }
}

/** What the server may see: it may have come to the room in between. */
async function missedIn(parts: CatchUpParts, range: CatchUpRange, room: number): Promise<OutgoingRow[]> {
  const rows = await sentIn(parts, range, room);
  if (rows.length === 0) return rows;
  const dag = await parts.rooms.dags.openByNid(room);
  const { name: server, serverNid } = range;
  const visible = await parts.visibility.visibleTo({ dag, server, serverNid }, rows);
  return rows.filter(({ nid }) => visible.has(nid));
}

async function sentIn(parts: CatchUpParts, { from, upTo }: CatchUpRange, room: number): Promise<OutgoingRow[]> {
  const { db } = parts.rooms;
  const { locals } = parts;
  const limit = limits.federationCatchUpEventsMax;
  const [after, before] = [firstOrdAfter(from) - 1, firstOrdAfter(upTo)];
  const newest = await db.all(ownEventsBetween, { room, after, before, locals, limit });
  if (newest.length < limit) return newest.toReversed();
  const known = new Set(newest.map(({ nid }) => nid));
  const ends = (await db.all(ownExtremities, { room, locals })).filter(
    ({ nid, pos }) => pos > from && pos <= upTo && !known.has(nid),
  );
  return [...ends, ...newest].toSorted((one, other) => one.pos - other.pos);
}

function together(rows: readonly OutgoingRow[], targeted: readonly OutgoingRow[]): CaughtUpRoom {
  const byNid = new Map([...rows, ...targeted].map((row) => [row.nid, row]));
  const ordered = [...byNid.values()].toSorted((one, other) => one.pos - other.pos);
  return { pdus: ordered.map(pduOfRow), targeted: targeted.map(({ pos }) => pos) };
}

const pduOfRow = ({ nid, room, pos, body }: OutgoingRow): OutgoingPdu => ({
  nid,
  room,
  pos,
  text: Buffer.from(decodeEventBody(body)),
});
