/** The state that a client needs before the timeline of one room in one response. */
import { includesRoom, matchesRoomEventFilter } from '../matrix/filters/matches-filter.ts';
import type { UserId } from '../matrix/ids/ids.ts';
import type { RoomDag } from '../rooms/dag/contract.ts';
import { citedMembers } from '../rooms/cited-members.ts';
import type { RoomsContext } from '../rooms/context.ts';
import { memberRows, partOfState, stateAt } from '../rooms/read-state.ts';
import { type EventFragment, renderEvent } from './event-fragments.ts';
import type { RoomLook } from './first-look.ts';
import { pduOf } from '../rooms/stored-event.ts';
import type { EventRow } from '../storage/stores/timeline-store.ts';
import type { RoomReader } from './room-reader.ts';
import { type RoomTimeline, startOfTimeline } from './room-timeline.ts';
import type { StateField, SyncPass } from './sync-request.ts';

/** What a pass wants of one room's state. */
export interface StateWish {
  readonly dag: RoomDag;
  readonly reader: RoomReader;
  readonly timeline: RoomTimeline;
  /** -1: the client knows nothing of the room. */
  readonly since: number;
  readonly until: number;
  /** What was read of the room already. */
  readonly look?: RoomLook | undefined;
  /** The whole state at the start of the timeline; otherwise what changed between `since` and there. */
  readonly full: boolean;
}

/** Lazy loading is asked for in the filter of the state, for /sync. https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3sync */
export const isLazy = (pass: SyncPass): boolean => pass.request.filter.room.state.lazyLoadMembers;

/** The name under which the state is told. */
export const stateField = (pass: SyncPass): StateField => pass.request.stateField ?? 'state';

/** Whether clients take the state from what is told as state alone, and not from the timeline. */
export const isStateAfter = (pass: SyncPass): boolean => stateField(pass) !== 'state';

/**
 * The state without regard to filters. Of a whole state that is loaded lazily the memberships are left out; what changed has
 * them all, so that no join, departure or new name in a gap is lost.
 */
export async function loadState(pass: SyncPass, wish: StateWish): Promise<EventFragment[]> {
  const { timeline } = wish;
  const isUnchanged = !wish.full && !timeline.otherStateChanged;
  if (!isStateAfter(pass)) return isUnchanged ? [] : stateBefore(pass, wish);
  return isUnchanged && timeline.events.every(({ fragment }) => fragment.stateKey === undefined)
    ? []
    : stateAtEnd(pass, wish);
}

async function stateAtEnd(pass: SyncPass, wish: StateWish): Promise<EventFragment[]> {
  const { reader } = wish;
  const { fragments } = pass.ctx;
  const state = wish.full ? await wholeState(pass, wish) : await delta(pass, wish);
  const nids = new Set(state.values());
  if (lacksMembers(pass, wish)) for (const nid of (await delta(pass, wish)).values()) nids.add(nid);
  return fragments.ofNids(
    [...nids].filter((nid) => nid !== null),
    reader,
  );
}

/**
 * At the start of the timeline; of keys that changed later by no event of it (two branches of the room met, or the filter
 * leaves it out) their value now.
 */
async function stateBefore(pass: SyncPass, wish: StateWish): Promise<EventFragment[]> {
  const inTimeline = new Set(wish.timeline.events.map((event) => event.nid));
  const nids = new Set(wish.full ? await wholeBefore(pass, wish, inTimeline) : []);
  if (!wish.full || lacksMembers(pass, wish))
    for (const nid of await changedBefore(pass, wish, inTimeline)) nids.add(nid);
  return pass.ctx.fragments.ofNids([...nids], wish.reader);
}

/** Whoever asks for the whole state of a room that they know may know members that have changed. */
const lacksMembers = (pass: SyncPass, { full, since }: StateWish): boolean => full && since >= 0 && isLazy(pass);

/** The present one. */
function wholeState(pass: SyncPass, { dag, until, look }: StateWish): Promise<ReadonlyMap<number, number>> {
  const { rooms } = pass.ctx;
  const which = isLazy(pass) ? 'without-members' : 'all';
  return look?.state === undefined ? stateAt(rooms, dag, until, which) : partOfState(rooms, look.state, which);
}

/** The present state, but what the timeline itself tells as it was before. */
async function wholeBefore(pass: SyncPass, wish: StateWish, inTimeline: ReadonlySet<number>): Promise<number[]> {
  const { dag, timeline, until } = wish;
  const { rooms } = pass.ctx;
  const state = await wholeState(pass, wish);
  const nids: number[] = [];
  const told: number[] = [];
  for (const [skey, nid] of state) {
    if (inTimeline.has(nid)) told.push(skey);
    else nids.push(nid);
  }
  const [first] = timeline.events;
  // before a room began it had no state
  if (told.length === 0 || first?.fragment.type === 'm.room.create') return nids;
  const before = await rooms.states.stateEventsAt(dag.room, startOfTimeline(timeline, until), told);
  return [...nids, ...before.values()];
}

async function changedBefore(
  pass: SyncPass,
  { dag, timeline, since, until }: StateWish,
  inTimeline: ReadonlySet<number>,
): Promise<number[]> {
  const start = startOfTimeline(timeline, until);
  const state = new Map(await delta(pass, { dag, since, until: start }));
  for (const [skey, nid] of await delta(pass, { dag, since: Math.max(since, start), until }))
    if (nid !== null && !inTimeline.has(nid)) state.set(skey, nid);
  return [...state.values()].filter((nid) => nid !== null);
}

async function delta(
  pass: SyncPass,
  { dag, since, until }: Pick<StateWish, 'dag' | 'since' | 'until'>,
): Promise<ReadonlyMap<number, number | null>> {
  if (since >= until) return new Map();
  const { rooms } = pass.ctx;
  return isLazy(pass) && becameWhole(pass, { dag, since, until })
    ? deltaOfWhole(rooms, dag.room, since, until)
    : rooms.states.delta(dag.room, since, until);
}

/** Whether the room's members became known in (since, until]. https://github.com/matrix-org/matrix-spec-proposals/pull/3902 */
export function becameWhole(
  { ctx }: SyncPass,
  { dag, since, until }: Pick<StateWish, 'dag' | 'since' | 'until'>,
): boolean {
  const filledPos = ctx.rooms.partialRooms.find(dag.room)?.filledPos;
  return filledPos !== undefined && since < filledPos && filledPos <= until;
}

/**
 * The same without the members who merely became known: whoever loads members lazily is sent those whom they meet, and there may
 * be very many.
 */
async function deltaOfWhole(
  { states, otherKeys, partialRooms }: RoomsContext,
  room: number,
  since: number,
  until: number,
): Promise<ReadonlyMap<number, number | null>> {
  const filledPos = partialRooms.find(room)?.filledPos ?? until;
  const known = await states.stateAt(room, filledPos - 1);
  const changed = new Set<number>();
  if (since < filledPos - 1)
    for (const skey of (await states.delta(room, since, filledPos - 1)).keys()) changed.add(skey);
  if (filledPos < until) for (const skey of (await states.delta(room, filledPos, until)).keys()) changed.add(skey);
  const skeys = [...new Set([...changed, ...known.keys(), ...(await otherKeys.of(room))])];
  const now = await states.stateEventsAt(room, until, skeys);
  const before = await states.stateEventsAt(room, since, skeys);
  const told = skeys.filter((skey) => changed.has(skey) || now.get(skey) !== before.get(skey));
  return new Map(told.map((skey) => [skey, now.get(skey) ?? null]));
}

/**
 * With lazy loading, the memberships that go with the timeline and are not in `state` already: of those who sent something,
 * of the heroes, and in a whole state the reader's own.
 */
export async function lazyMembers(
  pass: SyncPass,
  wish: StateWish,
  state: readonly EventFragment[],
  heroes: readonly string[],
): Promise<EventFragment[]> {
  if (!isLazy(pass)) return [];
  const { ctx, request, since, now } = pass;
  const { dag, timeline, full } = wish;
  const told = new Set(state.filter(isMember).map((fragment) => fragment.stateKey));
  const also = [...heroes, ...(full ? [wish.reader.userId] : [])];
  const all = isStateAfter(pass) ? membersIn(timeline, also) : neededMembers(timeline, also);
  const needed = [...all].filter((userId) => !told.has(userId));
  const everything = full || request.filter.room.state.includeRedundantMembers;
  const answer = { since, now, everything };
  const wanted = ctx.lazyMembers.unsent(request.requester.deviceNid, dag.room, needed, answer);
  const [known, others] = membersOfLook(wish, wanted, isStateAfter(pass));
  const rows = await memberRowsFor(pass, wish, others as UserId[]);
  return [...(await ctx.fragments.ofNids(known, wish.reader)), ...(await ctx.fragments.ofRows(rows, wish.reader))];
}

/** Of whom the look says so, the numbers of their memberships; and the others. What the timeline tells was another one before it. */
function membersOfLook(
  { look, timeline }: StateWish,
  wanted: readonly string[],
  isAtEnd: boolean,
): [number[], string[]] {
  const inTimeline = new Set(isAtEnd ? [] : timeline.events.map(({ nid }) => nid));
  const known: number[] = [];
  const others: string[] = [];
  for (const userId of wanted) {
    const nid = look?.members.get(userId);
    if (nid === undefined || inTimeline.has(nid)) others.push(userId);
    else known.push(nid);
  }
  return [known, others];
}

/** As they are; what the timeline itself tells, as it was before. */
async function memberRowsFor(pass: SyncPass, { dag, timeline, until }: StateWish, userIds: readonly UserId[]) {
  const { rooms } = pass.ctx;
  const known = await memberRows(rooms, dag, until, userIds);
  const rows = [...known, ...(await claimedMembers(pass, { dag, timeline, until }, known, userIds))];
  if (isStateAfter(pass)) return rows;
  const inTimeline = new Map(timeline.events.map(({ nid, fragment }) => [nid, fragment]));
  const told = rows.flatMap(({ nid }) => (inTimeline.get(nid)?.stateKey ?? []) as UserId[]);
  const before = await memberRows(rooms, dag, startOfTimeline(timeline, until), told);
  return [...rows.filter(({ nid }) => !inTimeline.has(nid)), ...before];
}

/**
 * Of a room whose members are not known yet, the memberships of those who sent something, as their events say.
 * https://github.com/matrix-org/matrix-spec-proposals/pull/3902
 */
async function claimedMembers(
  { ctx: { rooms } }: SyncPass,
  { dag, timeline, until }: Pick<StateWish, 'dag' | 'timeline' | 'until'>,
  known: readonly EventRow[],
  userIds: readonly UserId[],
): Promise<EventRow[]> {
  if (known.length === userIds.length || !rooms.partialRooms.isPartialAt(dag.room, until)) return [];
  const told = new Set(known.map((row) => pduOf(row)['state_key']));
  const others = new Set<string>(userIds.filter((userId) => !told.has(userId)));
  const said = timeline.events.filter(({ fragment }) => others.has(fragment.sender)).map(({ nid }) => nid);
  return citedMembers(rooms, said, others);
}

/** Those whose membership before the timeline somebody who reads it needs; `also` unless the timeline itself tells. */
function neededMembers(timeline: RoomTimeline, also: readonly string[]): Set<string> {
  const needed = new Set<string>();
  const known = new Set<string>();
  for (const { fragment } of timeline.events) {
    const { sender, stateKey } = fragment;
    const own = isMember(fragment) && stateKey === sender;
    if (!own && !known.has(sender)) needed.add(sender);
    known.add(sender);
    if (isMember(fragment) && stateKey !== undefined) known.add(stateKey);
  }
  for (const userId of also) if (!known.has(userId)) needed.add(userId);
  return needed;
}

/** All whom somebody who reads the timeline meets, where the timeline itself does not tell the state. */
function membersIn(timeline: RoomTimeline, also: readonly string[]): Set<string> {
  const members = new Set(also);
  for (const { fragment } of timeline.events) {
    members.add(fragment.sender);
    if (isMember(fragment) && fragment.stateKey !== undefined) members.add(fragment.stateKey);
  }
  return members;
}

export const isMember = (fragment: EventFragment): boolean => fragment.type === 'm.room.member';

/** What of the state the filter wants, as text. */
export async function stateText(
  pass: SyncPass,
  { dag, reader }: Pick<StateWish, 'dag' | 'reader'>,
  state: readonly EventFragment[],
): Promise<string[]> {
  const filter = pass.request.filter.room.state;
  if (!includesRoom(filter, dag.roomId)) return [];
  const wanted = state.filter((fragment) => matchesRoomEventFilter(filter, fragment));
  const seesPrevious = await reader.previousSeen(wanted);
  return wanted.map((fragment) => renderEvent(fragment, pass.nowMs, { seesPrevious: seesPrevious(fragment) }));
}
