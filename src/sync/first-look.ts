/**
 * What a first sync wants of rooms in which the user is joined, read for many rooms together: a read costs more than what it
 * finds of one room.
 */
import type { VisibilityTimeline } from '../rooms/history-visibility.ts';
import { firstOrdAfter } from '../rooms/pagination-token.ts';
import { ownTransactions } from '../rooms/client-events.ts';
import { ignoredNids } from '../rooms/read-state.ts';
import { type FoundBundle, findBundles } from '../rooms/relations/bundles.ts';
import { loadVisibilities } from '../rooms/visibility.ts';
import { type ReceiptRow, receiptsOfRooms } from '../storage/stores/receipt-store.ts';
import { type EventPlace, newestOfRooms } from '../storage/stores/timeline-store.ts';
import type { EventFragment } from './event-fragments.ts';
import { type RoomSummary, roomSummaries } from './room-summary.ts';
import { isLazy, isMember } from './room-state.ts';
import { timelineLimit } from './room-timeline.ts';
import { type FoundState, type WantedState, nidsIn, statesOfRooms } from './states-of-rooms.ts';
import type { SyncPass } from './sync-request.ts';
import type { RoomNews } from './sync-user.ts';
import { prepareMarkers } from './unread-counts.ts';

export interface RoomLook {
  readonly visibility: VisibilityTimeline;
  readonly summary: RoomSummary | undefined;
  /** Up to the position of the pass. */
  readonly receipts: readonly ReceiptRow[];
  /** The newest first: one more than the timeline may have, or all there are. */
  readonly newest: readonly EventPlace[];
  /** Transaction ids by the events' numbers. */
  readonly transactions: ReadonlyMap<number, string>;
  /** What relates to `newest`; undefined: that was not looked for. */
  readonly bundles: readonly FoundBundle[] | undefined;
  /** The state at the position of the pass, without memberships if they are loaded lazily; undefined: it is to be read by itself. */
  readonly state: ReadonlyMap<number, number> | undefined;
  /** Of those whom somebody meets who reads `newest`, where members are loaded lazily; undefined: they have none. */
  readonly members: ReadonlyMap<string, number | undefined>;
}

/** Rows of one read are in memory together. */
const eventsMax = 2_000;
const roomsMax = 100;
/** Members of a room whose state is read together with that of others. */
const membersMax = 500;

/** Of a room with more keys beside its members the state is read by itself. */
const keysMax = 1_000;
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
  const bundles = await bundlesOfRooms(pass, newest, (of) => of.length > limit);
  await prepareMarkers(ctx, user, rooms);
  const fragments = await ctx.fragments.prepare(rows.map(({ nid }) => nid));
  const states = isLazy(pass)
    ? await lazyStates(pass, summaries, peopleByRoom(rows, fragments))
    : await wholeStates(pass, summaries);
  const few = [...states.values()].filter(({ state }) => state.size <= eventsOfStateMax);
  await ctx.fragments.prepare([...new Set(few.flatMap(nidsIn))]);
  const lookOf = (room: number): RoomLook => ({
    visibility: visibilities.get(room) ?? { visibilities: [], memberships: [] },
    summary: summaries.get(room),
    receipts: receipts.get(room) ?? [],
    newest: newest.get(room) ?? [],
    transactions,
    bundles: bundles.get(room),
    state: states.get(room)?.state,
    members: states.get(room)?.members ?? nobody,
  });
  return new Map(rooms.map((room) => [room, lookOf(room)]));
}

const nobody: ReadonlyMap<string, undefined> = new Map();

/** Of rooms that are not large. */
async function wholeStates(
  { ctx, now }: SyncPass,
  summaries: ReadonlyMap<number, RoomSummary>,
): Promise<ReadonlyMap<number, FoundState>> {
  const small = [...summaries.keys()].filter((room) => membersIn(summaries.get(room)) <= membersMax);
  const states = await ctx.rooms.states.statesAt(small, now);
  return new Map(Array.from(states, ([room, state]) => [room, { state, members: nobody }]));
}

/** Without memberships but those that clients need. Of rooms without very many other keys. */
async function lazyStates(
  { ctx, now, request }: SyncPass,
  summaries: ReadonlyMap<number, RoomSummary>,
  people: (room: number) => ReadonlySet<string>,
): Promise<ReadonlyMap<number, FoundState>> {
  const { otherKeys } = ctx.rooms;
  await otherKeys.prepare([...summaries.keys()]);
  const wanted = new Map<number, WantedState>();
  for (const [room, summary] of summaries) {
    const skeys = await otherKeys.of(room);
    const members = new Set([request.requester.userId, ...(summary['m.heroes'] ?? []), ...people(room)]);
    if (skeys.length <= keysMax) wanted.set(room, { skeys, members });
  }
  return statesOfRooms(ctx.rooms, wanted, now);
}

/** Who wrote what is told, and whose memberships it is about. */
function peopleByRoom(
  rows: readonly EventPlace[],
  fragments: readonly EventFragment[],
): (room: number) => ReadonlySet<string> {
  const found = new Map(fragments.map((fragment) => [fragment.nid, fragment]));
  const people = new Map<number, Set<string>>();
  for (const { room, nid } of rows) {
    const fragment = found.get(nid);
    if (fragment === undefined) continue;
    const known = people.get(room) ?? new Set();
    people.set(room, known.add(fragment.sender));
    if (isMember(fragment) && fragment.stateKey !== undefined) known.add(fragment.stateKey);
  }
  return (room) => people.get(room) ?? new Set();
}

/** By room; nothing of rooms without a gap, whose relations are events of their own. */
export async function bundlesOfRooms(
  { ctx, now, request }: Pick<SyncPass, 'ctx' | 'now' | 'request'>,
  newest: ReadonlyMap<number, readonly EventPlace[]>,
  hasGap: (rows: readonly EventPlace[]) => boolean,
): Promise<ReadonlyMap<number, readonly FoundBundle[]>> {
  const viewer = {
    userNid: request.requester.userNid,
    until: now,
    ignored: await ignoredNids(ctx.rooms, request.requester),
  };
  const wanted = new Map([...newest].filter(([, rows]) => hasGap(rows)));
  const found = new Map(
    (await findBundles(ctx.rooms, [...wanted.values()].flat(), viewer)).map((bundle) => [bundle.nid, bundle]),
  );
  return new Map(Array.from(wanted, ([room, rows]) => [room, rows.flatMap(({ nid }) => found.get(nid) ?? [])]));
}

const membersIn = (summary: RoomSummary | undefined): number =>
  summary === undefined ? Infinity : summary['m.joined_member_count'] + summary['m.invited_member_count'];
