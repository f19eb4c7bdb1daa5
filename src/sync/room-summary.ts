/** Who a room is made of, for clients that name rooms after their members. https://spec.matrix.org/v1.19/client-server-api/#syncing */
import type { UserId } from '../matrix/ids/ids.ts';
import type { RoomDag } from '../rooms/dag/contract.ts';
import type { RoomsContext } from '../rooms/context.ts';
import {
  joinedCount,
  memberCounts,
  memberCountsOf,
  membersOf,
  membersOfRooms,
} from '../storage/stores/membership-store.ts';

export interface RoomSummary {
  /** Absent: the room has a name. */
  readonly 'm.heroes'?: readonly UserId[];
  readonly 'm.joined_member_count': number;
  readonly 'm.invited_member_count': number;
}

const heroesMax = 5;

/** Does not grow with the number of members: counts per server are summed up, and five heroes are looked for. */
export async function roomSummary(ctx: RoomsContext, dag: RoomDag, reader: number): Promise<RoomSummary> {
  const { room } = dag;
  const counts = countsOf(await ctx.db.one(memberCounts, { room }));
  return (await isNamed(dag)) ? counts : { 'm.heroes': await heroIds(ctx, room, reader), ...counts };
}

/** The same of many rooms, with a few reads. */
export async function roomSummaries(
  ctx: RoomsContext,
  rooms: readonly number[],
  reader: number,
): Promise<ReadonlyMap<number, RoomSummary>> {
  const counts = new Map((await ctx.db.all(memberCountsOf, { rooms })).map((row) => [row.room, row]));
  const unnamed: number[] = [];
  for (const room of rooms) if (!(await isNamed(await ctx.dags.openByNid(room)))) unnamed.push(room);
  const heroesOf = await heroesInRooms(ctx, unnamed, reader);
  const summaries = new Map<number, RoomSummary>();
  for (const room of rooms) {
    const found = heroesOf.get(room);
    const summary = countsOf(counts.get(room));
    summaries.set(room, found === undefined ? summary : { 'm.heroes': await ctx.names.userIds(found), ...summary });
  }
  return summaries;
}

function countsOf(
  members: { readonly joined: number | null; readonly invited: number | null } | undefined,
): RoomSummary {
  return { 'm.joined_member_count': members?.joined ?? 0, 'm.invited_member_count': members?.invited ?? 0 };
}

const isNamed = async (dag: RoomDag): Promise<boolean> =>
  (await hasText(dag, 'm.room.name', 'name')) || (await hasText(dag, 'm.room.canonical_alias', 'alias'));

export interface MemberTotals {
  readonly joined: number;
  readonly invited: number;
}

/** As of the newest commit. */
export async function memberTotals(ctx: RoomsContext, room: number): Promise<MemberTotals> {
  const members = await ctx.db.one(memberCounts, { room });
  return { joined: members?.joined ?? 0, invited: members?.invited ?? 0 };
}

/** The same of many rooms, with one read. */
export async function memberTotalsIn(
  ctx: RoomsContext,
  rooms: readonly number[],
): Promise<ReadonlyMap<number, MemberTotals>> {
  const rows = await ctx.db.all(memberCountsOf, { rooms });
  return new Map(rows.map(({ room, joined, invited }) => [room, { joined, invited: invited ?? 0 }]));
}

/** How many have joined, as of the newest commit. */
export async function joinedMembers(ctx: RoomsContext, room: number): Promise<number> {
  return (await ctx.db.one(joinedCount, { room }))?.members ?? 0;
}

/** Those who are here, else those who were. */
const heroesByPreference = [
  ['join', 'invite'],
  ['leave', 'ban'],
] as const;

/** In the order in which this server came to know them. */
export async function heroIds(ctx: RoomsContext, room: number, reader: number): Promise<UserId[]> {
  const found: number[] = [];
  for (const memberships of heroesByPreference) {
    for (const membership of memberships) {
      const rows = await ctx.db.all(membersOf, { room, membership, limit: heroesMax + 1 });
      found.push(...rows.map((row) => row.user_nid).filter((user) => user !== reader));
    }
    if (found.length > 0) break;
  }
  return ctx.names.userIds(found.slice(0, heroesMax));
}

/** The numbers of the heroes of each, in that order. */
export async function heroesInRooms(
  ctx: RoomsContext,
  rooms: readonly number[],
  reader: number,
): Promise<ReadonlyMap<number, readonly number[]>> {
  const found = new Map<number, number[]>(rooms.map((room) => [room, []]));
  let left = rooms;
  for (const memberships of heroesByPreference) {
    if (left.length === 0) break;
    for (const membership of memberships)
      for (const row of await ctx.db.all(membersOfRooms, { rooms: left, membership, limit: heroesMax + 1 }))
        if (row.user_nid !== reader) found.get(row.room)?.push(row.user_nid);
    left = left.filter((room) => found.get(room)?.length === 0);
  }
  return new Map([...found].map(([room, users]) => [room, users.slice(0, heroesMax)]));
}

async function hasText(dag: RoomDag, type: string, field: string): Promise<boolean> {
  const value = (await dag.currentEvent(type, ''))?.content[field];
  return typeof value === 'string' && value !== '';
}
