/**
 * What somebody who may not be in a room is told of it, and whether they are told.
 * https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1roomsroomidhierarchy
 */
import type { RoomId } from '../../matrix/ids/ids.ts';
import type { JsonObject } from '../../matrix/json/json-value.ts';
import { findRoomVersion } from '../../matrix/room-versions/table.ts';
import { joinedAmong, membershipsOf } from '../../storage/stores/membership-store.ts';
import { roomsInvitingServer, roomsOfServers } from '../../storage/stores/room-server-store.ts';
import type { Actor, RoomsContext } from '../context.ts';
import { type RoomDetails, type RoomSummary, loadRoomDetails, summaryOf } from '../directory/room-summary.ts';
import { isRestricted, roomsOfConditions } from '../restricted-joins.ts';

/** Who asks; undefined: somebody without an access token. */
export type Visitor = Pick<Actor, 'userNid'> | VisitingServer | undefined;
/** Another server, which may be told what any of its users may be told. */
export interface VisitingServer {
  readonly serverNid: number;
}

/** A wire object. */
export type RoomPreview = RoomSummary & {
  /** The rooms whose members may join, where the room is restricted. */
  readonly allowed_room_ids?: readonly RoomId[];
  /** The algorithm. */
  readonly encryption?: string;
  readonly room_version?: string;
};
export interface PreviewedRoom {
  readonly room: number;
  readonly preview: RoomPreview;
  /** Of the visitor; undefined: none. */
  readonly membership: string | undefined;
}

/**
 * Those of the rooms that the visitor may be told of: where they are or are invited, what they may join or knock on, and what
 * everybody may read. A few reads, however many rooms.
 */
export async function loadPreviews(
  ctx: RoomsContext,
  visitor: Visitor,
  rooms: readonly number[],
): Promise<Map<number, PreviewedRoom>> {
  if (rooms.length === 0) return new Map();
  const details = [...(await loadRoomDetails(ctx, rooms)).values()];
  const memberships = await membershipsIn(ctx, visitor, details);
  const allowed = new Map(details.map((room) => [room.room, allowedRooms(room)]));
  const joined = await joinedOf(ctx, visitor, new Set([...allowed.values()].flatMap((roomIds) => roomIds ?? [])));
  const previews = new Map<number, PreviewedRoom>();
  for (const room of details) {
    const membership = memberships.get(room.room);
    const allowedRoomIds = allowed.get(room.room);
    const meetsCondition = allowedRoomIds?.some((roomId) => joined.has(roomId)) === true;
    if (isAccessible(room, membership, meetsCondition))
      previews.set(room.room, { room: room.room, preview: previewOf(room, allowedRoomIds), membership });
  }
  return previews;
}

function isAccessible(room: RoomDetails, membership: string | undefined, meetsCondition: boolean): boolean {
  if (membership === 'join' || membership === 'invite') return true;
  if (room.contentOf('m.room.history_visibility')['history_visibility'] === 'world_readable') return true;
  return membership !== 'ban' && (meetsCondition || isOpen(room));
}

/** Anybody may join, or knock. */
function isOpen({ version, contentOf }: RoomDetails): boolean {
  const { join_rule: joinRule } = contentOf('m.room.join_rules');
  const rules = findRoomVersion(version)?.eventAuth;
  return (
    joinRule === 'public' ||
    (joinRule === 'knock' && rules?.knock === true) ||
    (joinRule === 'knock_restricted' && rules?.knockRestricted === true)
  );
}

/** undefined: the room is not restricted. */
function allowedRooms({ version, contentOf }: RoomDetails): readonly RoomId[] | undefined {
  const rules = findRoomVersion(version);
  const joinRules = contentOf('m.room.join_rules');
  return rules !== undefined && isRestricted(rules, joinRules) ? roomsOfConditions(joinRules) : undefined;
}

function previewOf(room: RoomDetails, allowedRoomIds: readonly RoomId[] | undefined): RoomPreview {
  const { roomId, members, contentOf, version } = room;
  const { algorithm }: JsonObject = contentOf('m.room.encryption');
  return {
    ...summaryOf(roomId, members, contentOf),
    ...(allowedRoomIds === undefined ? {} : { allowed_room_ids: allowedRoomIds }),
    ...(typeof algorithm === 'string' ? { encryption: algorithm } : {}),
    room_version: version,
  };
}

async function membershipsIn(
  ctx: RoomsContext,
  visitor: Visitor,
  details: readonly RoomDetails[],
): Promise<ReadonlyMap<number, string>> {
  if (visitor === undefined) return new Map();
  const rooms = details.map(({ room }) => room);
  if ('userNid' in visitor) {
    const rows = await ctx.db.all(membershipsOf, { user: visitor.userNid, rooms });
    return new Map(rows.map(({ room, membership }) => [room, membership]));
  }
  const { serverNid: server } = visitor;
  const roomIds = details.map(({ roomId }) => roomId);
  const [joined, invited] = await Promise.all([
    ctx.db.all(roomsOfServers, { servers: [server], roomIds }),
    ctx.db.all(roomsInvitingServer, { server, rooms }),
  ]);
  return new Map([
    ...invited.map(({ room }) => [room, 'invite'] as const),
    ...joined.map(({ room }) => [room, 'join'] as const),
  ]);
}

/** Of the rooms of conditions, those that the visitor is in. */
export async function joinedOf(
  ctx: RoomsContext,
  visitor: Visitor,
  conditions: ReadonlySet<RoomId>,
): Promise<ReadonlySet<string>> {
  if (visitor === undefined || conditions.size === 0) return new Set();
  const roomIds = [...conditions];
  const rows = await ('userNid' in visitor
    ? ctx.db.all(joinedAmong, { user: visitor.userNid, roomIds })
    : ctx.db.all(roomsOfServers, { servers: [visitor.serverNid], roomIds }));
  return new Set(rows.map(({ room_id: roomId }) => roomId));
}
