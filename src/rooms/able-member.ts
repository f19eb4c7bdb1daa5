/** Somebody of this server who may do something in a room, for what a server does in the name of a member. */
import { creatorsOf } from '../matrix/event-auth/creators.ts';
import { powerLevelOf } from '../matrix/event-auth/power-levels.ts';
import type { RoomEvent } from '../matrix/events/room-event.ts';
import type { UserId } from '../matrix/ids/ids.ts';
import { isUserId } from '../matrix/ids/user-id.ts';
import { isJsonObject } from '../matrix/json/json-value.ts';
import { someJoinedLocalUsers } from '../storage/stores/membership-store.ts';
import { type RoomsContext, serverOf } from './context.ts';
import type { RoomDag } from './dag/contract.ts';
import { membershipIn } from './membership.ts';

/**
 * A joined member of ours with a power level of at least `required`, which is asked for with the room's m.room.power_levels.
 * Looked for among those who have a level of their own, who are few however many members there are, then among the first
 * 500 members; undefined: none of them.
 */
export async function findAbleMember(
  ctx: RoomsContext,
  dag: RoomDag,
  required: (powerLevels: RoomEvent | undefined) => number,
): Promise<UserId | undefined> {
  const [create, levels] = await Promise.all([
    dag.currentEvent('m.room.create', ''),
    dag.currentEvent('m.room.power_levels', ''),
  ]);
  const level = required(levels);
  const isAble = (userId: UserId): boolean => powerLevelOf(userId, create, levels, dag.rules) >= level;
  return (
    (await firstJoined(dag, listedUsers(ctx, dag, create, levels).filter(isAble))) ??
    (await firstJoined(dag, (await someMembers(ctx, dag)).filter(isAble)))
  );
}

/** How many memberships are looked up at once. */
const membersPerRead = 20;
const membersScanned = 500;

function listedUsers(
  ctx: RoomsContext,
  { rules }: RoomDag,
  create: RoomEvent | undefined,
  levels: RoomEvent | undefined,
): UserId[] {
  const { users } = levels?.content ?? {};
  const listed = new Set([
    ...(create === undefined ? [] : creatorsOf(create, rules)),
    ...(isJsonObject(users) ? Object.keys(users) : []),
  ]);
  return [...listed].filter(isUserId).filter((userId) => ctx.localServers.isLocal(serverOf(userId)));
}

async function someMembers(ctx: RoomsContext, dag: RoomDag): Promise<UserId[]> {
  const servers = await ctx.names.serverNids(ctx.localServers.names());
  const wish = { room: dag.room, servers, scanned: membersScanned, limit: membersPerRead };
  const rows = await ctx.db.all(someJoinedLocalUsers, wish);
  return ctx.names.userIds(rows.map((row) => row.user_nid));
}

async function firstJoined(dag: RoomDag, candidates: readonly UserId[]): Promise<UserId | undefined> {
  for (let i = 0; i < candidates.length; i += membersPerRead) {
    const some = candidates.slice(i, i + membersPerRead);
    const state = await dag.currentEvents(some.map((userId) => ['m.room.member', userId]));
    const joined = some.find((userId) => membershipIn(state('m.room.member', userId)) === 'join');
    if (joined !== undefined) return joined;
  }
  return undefined;
}
