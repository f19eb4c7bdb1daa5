/**
 * What is told of rooms that are new to a client, read for many rooms together, as first-look.ts does for /sync: a read costs more than
 * what it finds of one room.
 */
import type { UserId } from '../../matrix/ids/ids.ts';
import { ownTransactions } from '../../rooms/client-events.ts';
import { firstOrdAfter, posAt } from '../../rooms/pagination-token.ts';
import { loadVisibilities } from '../../rooms/visibility.ts';
import type { StateKey } from '../../storage/names.ts';
import { type ReceiptRow, receiptsInRooms, receiptsOfUserIn } from '../../storage/stores/receipt-store.ts';
import { type EventPlace, newestOfRooms } from '../../storage/stores/timeline-store.ts';
import type { EventFragment } from '../event-fragments.ts';
import { type RoomLook, bundlesOfRooms } from '../first-look.ts';
import { type MemberTotals, heroesInRooms, memberTotalsIn } from '../room-summary.ts';
import { timelineLimit } from '../room-timeline.ts';
import { type FoundState, type WantedState, nidsIn, statesOfRooms } from '../states-of-rooms.ts';
import { prepareMarkers } from '../unread-counts.ts';
import type { Candidate } from './candidates.ts';
import { peopleIn } from './room-view.ts';
import { type SlidingPass, filterWith, syncPassOf } from './sliding-pass.ts';
import type { RoomConfig } from './sliding-request.ts';

export interface SlidingLook extends Pick<RoomLook, 'visibility' | 'newest' | 'transactions' | 'bundles'> {
  /** At the position of the pass: what the room config asks for, lazy members aside. */
  readonly required: readonly number[];
  /** Membership events of those who are asked for, of whoever appears in `newest`, and of the heroes; undefined: they have none. */
  readonly members: ReadonlyMap<string, number | undefined>;
  readonly name: string | undefined;
  readonly avatar: string | undefined;
  readonly totals: MemberTotals;
  /** undefined: the room has a name. */
  readonly heroes: readonly UserId[] | undefined;
  /** From the oldest event of `newest` on. */
  readonly receipts: readonly ReceiptRow[];
  readonly ownReceipts: readonly ReceiptRow[];
}

/** Rows of one read are in memory together. */
const eventsMax = 2_000;
const roomsMax = 100;
/** Of a room for which more keys are asked the state is read by itself. */
const keysMax = 200;

/** The client is to replace what it has of the room. */
export const isToldAnew = ({ standing, record }: Pick<Candidate, 'standing' | 'record'>): boolean =>
  record?.membership !== 'join' || record.standingPos !== standing.pos;

/** The looks of one pass, each taken when the first of its rooms is asked for, so that few are in memory. */
export class SlidingLooks {
  readonly #pass: SlidingPass;
  /** Rooms to come, in the order in which they will be asked for. */
  #candidates: readonly Candidate[];
  #looks: ReadonlyMap<number, SlidingLook> = new Map();

  constructor(pass: SlidingPass, shown: readonly Candidate[]) {
    this.#pass = pass;
    this.#candidates = shown.filter(
      (candidate) =>
        candidate.standing.membership === 'join' && isToldAnew(candidate) && !candidate.config.required.allMembers,
    );
  }

  /** undefined: what is told of the room is read by itself. */
  async find(candidate: Candidate): Promise<SlidingLook | undefined> {
    const { room } = candidate.standing;
    const known = this.#looks.get(room);
    if (known !== undefined) return known;
    const from = this.#candidates.indexOf(candidate);
    if (from < 0) return undefined;
    const limit = limitOf(candidate);
    const count = Math.max(1, Math.min(roomsMax, Math.floor(eventsMax / (limit + 1))));
    const upTo = this.#candidates.slice(from, from + count);
    const end = upTo.findIndex((other) => limitOf(other) !== limit);
    const together = end < 0 ? upTo : upTo.slice(0, end);
    this.#candidates = this.#candidates.slice(from + together.length);
    this.#looks = await lookAt(this.#pass, together, limit);
    return this.#looks.get(room);
  }
}

const limitOf = ({ config }: Candidate): number => timelineLimit(filterWith(config.timelineLimit).room.timeline);

async function lookAt(
  pass: SlidingPass,
  candidates: readonly Candidate[],
  limit: number,
): Promise<ReadonlyMap<number, SlidingLook>> {
  const { now, user, userId, request } = pass;
  const ctx = pass.ctx.sync;
  const { db, names } = ctx.rooms;
  const rooms = candidates.map(({ standing }) => standing.room);
  const visibilities = await loadVisibilities(ctx.rooms, rooms, userId, (nids) => ctx.fragments.contentsOf(nids));
  const rows = await db.all(newestOfRooms, { rooms, before: firstOrdAfter(now), limit: limit + 1 });
  rows.sort((a, b) => (b.ord ?? 0) - (a.ord ?? 0));
  const newest = Map.groupBy(rows, (row) => row.room);
  const transactions = await ownTransactions(ctx.rooms, rows, request.requester);
  // What is new to a connection that goes on begins with a gap.
  const bundles = await bundlesOfRooms(
    { ctx, now, request: syncPassOf(pass, limit, pass.since).request },
    newest,
    (of) => pass.since >= 0 || of.length > limit,
  );
  const fragments = byNid(await ctx.fragments.prepare(rows.map(({ nid }) => nid)));
  const totals = await memberTotalsIn(ctx.rooms, rooms);
  const heroes = await heroesInRooms(ctx.rooms, rooms, user.userNid);
  const heroIds = new Map(
    await Promise.all([...heroes].map(async ([room, nids]) => [room, await names.userIds(nids)] as const)),
  );
  const people = (room: number): Set<string> => {
    const inTimeline = (newest.get(room) ?? []).flatMap(({ nid }) => fragments.get(nid) ?? []);
    return new Set([...peopleIn(inTimeline), ...(heroIds.get(room) ?? [])]);
  };
  const state = await statesOf(pass, candidates, people);
  const receipts = await receiptsOf(pass, newest, rooms);
  await prepareMarkers(ctx, user, rooms);
  await pass.ctx.bumpStamps.prepare(rooms);
  const looks = new Map<number, SlidingLook>();
  for (const room of rooms) {
    const known = state.get(room);
    if (known === undefined) continue;
    looks.set(room, {
      ...known,
      visibility: visibilities.get(room) ?? { visibilities: [], memberships: [] },
      newest: newest.get(room) ?? [],
      transactions,
      bundles: bundles.get(room),
      totals: totals.get(room) ?? { joined: 0, invited: 0 },
      heroes: known.name === undefined ? (heroIds.get(room) ?? []) : undefined,
      ...receipts(room),
    });
  }
  return looks;
}

type StateLook = Pick<SlidingLook, 'required' | 'members' | 'name' | 'avatar'>;

/** Rooms of which too much is asked for are left out. */
async function statesOf(
  pass: SlidingPass,
  candidates: readonly Candidate[],
  people: (room: number) => Iterable<string>,
): Promise<ReadonlyMap<number, StateLook>> {
  const ctx = pass.ctx.sync;
  const { names, otherKeys } = ctx.rooms;
  await otherKeys.prepare(candidates.map(({ standing }) => standing.room));
  const keysOf = new Map<number, ReadonlyMap<number, StateKey>>();
  const wanted = new Map<number, WantedState>();
  for (const { standing, config } of candidates) {
    const known = await otherKeys.of(standing.room);
    const keys = new Map<number, StateKey>();
    for (const [index, key] of (await names.stateKeysOf(known)).entries())
      if (config.required.matches(key.type, key.key) || isMeta(key)) keys.set(known[index] ?? 0, key);
    if (keys.size > keysMax) continue;
    const members = new Set(people(standing.room));
    for (const { type, key } of config.required.exact) if (type === 'm.room.member') members.add(key);
    keysOf.set(standing.room, keys);
    wanted.set(standing.room, { skeys: [...keys.keys()], members });
  }
  const found = await statesOfRooms(ctx.rooms, wanted, pass.now);
  const all = new Set(Array.from(found.values(), nidsIn).flat());
  const fragments = byNid(await ctx.fragments.prepare([...all]));
  const looks = new Map<number, StateLook>();
  for (const { standing, config } of candidates) {
    const [keys, state] = [keysOf.get(standing.room), found.get(standing.room)];
    if (keys !== undefined && state !== undefined) looks.set(standing.room, stateLook(config, keys, state, fragments));
  }
  return looks;
}

function stateLook(
  { required: wish }: RoomConfig,
  keys: ReadonlyMap<number, StateKey>,
  { state, members }: FoundState,
  fragments: ReadonlyMap<number, EventFragment>,
): StateLook {
  const required: number[] = [];
  const meta: Record<string, string> = {};
  for (const [skey, nid] of state) {
    const { type, key } = keys.get(skey) ?? { type: '', key: '' };
    if (wish.matches(type, key)) required.push(nid);
    const field = key === '' ? metaFields.get(type) : undefined;
    const value = field === undefined ? undefined : fragments.get(nid)?.content[field];
    // As rooms are named: what is empty is not set.
    if (typeof value === 'string' && value !== '') meta[type] = value;
  }
  for (const [userId, nid] of members)
    if (nid !== undefined && wish.matches('m.room.member', userId)) required.push(nid);
  return { required, members, name: meta['m.room.name'], avatar: meta['m.room.avatar'] };
}

const metaFields: ReadonlyMap<string, string> = new Map([
  ['m.room.name', 'name'],
  ['m.room.avatar', 'url'],
]);
const isMeta = ({ type, key }: StateKey): boolean => key === '' && metaFields.has(type);

async function receiptsOf(
  { ctx, now, user, request }: SlidingPass,
  newest: ReadonlyMap<number, readonly EventPlace[]>,
  rooms: readonly number[],
): Promise<(room: number) => Pick<SlidingLook, 'receipts' | 'ownReceipts'>> {
  if (request.extensions.receipts === undefined) return () => ({ receipts: [], ownReceipts: [] });
  const { db } = ctx.sync.rooms;
  const places = Array.from(newest, ([room, rows]) => [room, posAt(rows.at(-1)?.ord ?? 0) - 1] as const);
  const all = await db.all(receiptsInRooms, { rows: JSON.stringify(places), upTo: now });
  const receipts = Map.groupBy(all, ({ room }) => room);
  const own = Map.groupBy(await db.all(receiptsOfUserIn, { user: user.userNid, rooms }), ({ room }) => room);
  return (room) => ({ receipts: receipts.get(room) ?? [], ownReceipts: own.get(room) ?? [] });
}

const byNid = (fragments: readonly EventFragment[]): ReadonlyMap<number, EventFragment> =>
  new Map(fragments.map((fragment) => [fragment.nid, fragment]));
