/** Who is likely to have what is missing of a room's history. */
import { creatorsOf } from '../../matrix/event-auth/creators.ts';
import { powerLevelOf } from '../../matrix/event-auth/power-levels.ts';
import type { EventId, ServerName, UserId } from '../../matrix/ids/ids.ts';
import { isUserId } from '../../matrix/ids/user-id.ts';
import { isJsonObject } from '../../matrix/json/json-value.ts';
import { limits } from '../../platform/limits.ts';
import type { Random } from '../../platform/ports.ts';
import { type RoomsContext, serverOf } from '../../rooms/context.ts';
import type { RoomDag } from '../../rooms/dag/contract.ts';
import { serversInRoom } from '../../storage/stores/membership-store.ts';
import { eventById } from '../../storage/stores/timeline-store.ts';
import { isAllowedIn } from '../room-acl.ts';

/**
 * Other servers in the room, the likeliest first: the one whose user sent what refers to what is missing, those of the room's
 * creators and of its powerful users, those with the most users, one by chance.
 */
export async function serversToAsk(
  { rooms, random }: { readonly rooms: RoomsContext; readonly random: Random },
  dag: RoomDag,
  eventId: EventId,
): Promise<ServerName[]> {
  const { db, names, localServers } = rooms;
  const present = (await db.all(serversInRoom, { room: dag.room, limit: presentMax })).map(
    ({ name }) => name as ServerName,
  );
  const event = await db.one(eventById, { eventId });
  const sender = event === undefined ? [] : [serverOf(await names.userId(event.sender))];
  const isPresent = new Set(present);
  const likely = [...sender, ...(await leadingUsers(dag)).map(serverOf)].filter((server) => isPresent.has(server));
  const chance = present.length === 0 ? [] : [present[random.int(present.length)]!];
  const wanted = [...new Set([...likely.slice(0, likelyMax), ...present.slice(0, likelyMax), ...chance, ...present])];
  const servers: ServerName[] = [];
  for (const server of wanted) {
    if (servers.length >= limits.historyServersMax) break;
    if (!localServers.isLocal(server) && (await isAllowedIn(dag, server))) servers.push(server);
  }
  return servers;
}

const presentMax = 200;
const likelyMax = 3;
const usersMax = 50;

/** Creators, then those with the highest levels. */
async function leadingUsers(dag: RoomDag): Promise<UserId[]> {
  const create = await dag.currentEvent('m.room.create', '');
  const levels = await dag.currentEvent('m.room.power_levels', '');
  const { users } = levels?.content ?? {};
  const listed = isJsonObject(users) ? Object.keys(users).filter(isUserId).slice(0, usersMax) : [];
  const levelOf = new Map(listed.map((userId) => [userId, powerLevelOf(userId, create, levels, dag.rules)]));
  const creators = create === undefined ? [] : creatorsOf(create, dag.rules).filter(isUserId);
  return [...creators, ...listed.toSorted((a, b) => (levelOf.get(b) ?? 0) - (levelOf.get(a) ?? 0))];
}
