/** Who a room is made of, for clients that name rooms after their members. https://spec.matrix.org/v1.19/client-server-api/#syncing */
import type { UserId } from '../matrix/ids/ids.ts';
import type { RoomDag } from '../rooms/dag/contract.ts';
import type { RoomsContext } from '../rooms/context.ts';
import { joinedCount, memberCounts, membersOf } from '../storage/stores/membership-store.ts';

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
  const members = await ctx.db.one(memberCounts, { room });
  const counts = {
    'm.joined_member_count': members?.joined ?? 0,
    'm.invited_member_count': members?.invited ?? 0,
  };
  const isNamed =
    (await hasText(dag, 'm.room.name', 'name')) || (await hasText(dag, 'm.room.canonical_alias', 'alias'));
  return isNamed ? counts : { 'm.heroes': await heroes(ctx, room, reader), ...counts };
}

/** How many have joined, as of the newest commit. */
export async function joinedMembers(ctx: RoomsContext, room: number): Promise<number> {
  return (await ctx.db.one(joinedCount, { room }))?.members ?? 0;
}

/** Those who are here, else those who were, in the order in which this server came to know them. */
async function heroes(ctx: RoomsContext, room: number, reader: number): Promise<UserId[]> {
  const found: number[] = [];
  for (const memberships of [
    ['join', 'invite'],
    ['leave', 'ban'],
  ] as const) {
    for (const membership of memberships) {
      const rows = await ctx.db.all(membersOf, { room, membership, limit: heroesMax + 1 });
      found.push(...rows.map((row) => row.user_nid).filter((user) => user !== reader));
    }
    if (found.length > 0) break;
  }
  return ctx.names.userIds(found.slice(0, heroesMax));
}

async function hasText(dag: RoomDag, type: string, field: string): Promise<boolean> {
  const value = (await dag.currentEvent(type, ''))?.content[field];
  return typeof value === 'string' && value !== '';
}
