/**
 * What a first sync wants of rooms in which the user is joined, read for many rooms together: a read costs more than what it
 * finds of one room.
 */
import type { VisibilityTimeline } from '../rooms/history-visibility.ts';
import { firstOrdAfter } from '../rooms/pagination-token.ts';
import { ownTransactions } from '../rooms/client-events.ts';
import { loadVisibilities } from '../rooms/visibility.ts';
import { type ReceiptRow, receiptsOfRooms } from '../storage/stores/receipt-store.ts';
import { type EventRow, newestOfRooms } from '../storage/stores/timeline-store.ts';
import { type RoomSummary, roomSummaries } from './room-summary.ts';
import { timelineLimit } from './room-timeline.ts';
import type { SyncPass } from './sync-request.ts';
import type { RoomNews } from './sync-user.ts';
import { prepareMarkers } from './unread-counts.ts';

export interface RoomLook {
  readonly visibility: VisibilityTimeline;
  readonly summary: RoomSummary | undefined;
  /** Up to the position of the pass. */
  readonly receipts: readonly ReceiptRow[];
  /** The newest first: one more than the timeline may have, or all there are. */
  readonly newest: readonly EventRow[];
  /** Transaction ids by the events' numbers. */
  readonly transactions: ReadonlyMap<number, string>;
  /** At the position of the pass; undefined: it is large, and to be read by itself. */
  readonly state: ReadonlyMap<number, number> | undefined;
}

/** Rows of one read are in memory together. */
const eventsMax = 2_000;
const roomsMax = 100;
/** Members of a room whose state is read together with that of others. */
const membersMax = 500;

/** Of a state of so many keys the events are read together with those of others. */
const eventsOfStateMax = 50;

/** The looks of one pass, each taken when the first of its rooms is asked for, so that few are in memory. */
export class FirstLooks {
  readonly #pass: SyncPass;
  readonly #limit: number;
  /** Rooms to come, in the order in which they will be asked for. */
  #rooms: readonly number[];
  #looks: ReadonlyMap<number, RoomLook> = new Map();

  constructor(pass: SyncPass) {
    this.#pass = pass;
    this.#limit = timelineLimit(pass.request.filter.room.timeline);
    const { rooms, since } = pass;
    const { rooms: wanted } = pass.request.filter.room;
    const joined = (news: RoomNews): number[] => (news.standing.membership === 'join' ? [news.standing.room] : []);
    // Where only some rooms are wanted, they are few.
    this.#rooms = since < 0 && wanted === undefined ? rooms.flatMap(joined) : [];
  }

  /** undefined: what is told of the room is read by itself. */
  async find(room: number): Promise<RoomLook | undefined> {
    const known = this.#looks.get(room);
    if (known !== undefined) return known;
    const from = this.#rooms.indexOf(room);
    if (from < 0) return undefined;
    const count = Math.max(1, Math.min(roomsMax, Math.floor(eventsMax / (this.#limit + 1))));
    const together = this.#rooms.slice(from, from + count);
    this.#rooms = this.#rooms.slice(from + count);
    this.#looks = await lookAt(this.#pass, together, this.#limit);
    return this.#looks.get(room);
  }
}

async function lookAt(pass: SyncPass, rooms: readonly number[], limit: number): Promise<ReadonlyMap<number, RoomLook>> {
  const { ctx, now, user, request } = pass;
  const { db } = ctx.rooms;
  const summaries = await roomSummaries(ctx.rooms, rooms, user.userNid);
  const visibilities = await loadVisibilities(ctx.rooms, rooms, request.requester.userId, (nids) =>
    ctx.fragments.contentsOf(nids),
  );
  const receipts = Map.groupBy(await db.all(receiptsOfRooms, { rooms, upTo: now }), (row) => row.room);
  const rows = await db.all(newestOfRooms, { rooms, before: firstOrdAfter(now), limit: limit + 1 });
  rows.sort((a, b) => (b.ord ?? 0) - (a.ord ?? 0));
  const newest = Map.groupBy(rows, (row) => row.room);
  const transactions = await ownTransactions(ctx.rooms, rows, request.requester);
  const isSmall = (room: number): boolean => membersIn(summaries.get(room)) <= membersMax;
  const states = await ctx.rooms.states.statesAt(rooms.filter(isSmall), now);
  await prepareMarkers(ctx, user, rooms);
  await ctx.fragments.prepare(rows);
  const few = [...states.values()].filter((state) => state.size <= eventsOfStateMax);
  await ctx.fragments.prepareNids(few.flatMap((state) => [...state.values()]));
  const lookOf = (room: number): RoomLook => ({
    visibility: visibilities.get(room) ?? { visibilities: [], memberships: [] },
    summary: summaries.get(room),
    receipts: receipts.get(room) ?? [],
    newest: newest.get(room) ?? [],
    transactions,
    state: states.get(room),
  });
  return new Map(rooms.map((room) => [room, lookOf(room)]));
}

const membersIn = (summary: RoomSummary | undefined): number =>
  summary === undefined ? Infinity : summary['m.joined_member_count'] + summary['m.invited_member_count'];
