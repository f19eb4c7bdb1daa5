/** What another server is told of a space. https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1hierarchyroomid */
import { notFound, type MatrixError } from '../../matrix/errors.ts';
import type { RoomId, ServerName } from '../../matrix/ids/ids.ts';
import type { JsonObject } from '../../matrix/json/json-value.ts';
import { compileServerAcl } from '../../matrix/server-acl/server-acl.ts';
import { limits } from '../../platform/limits.ts';
import type { RoomsContext } from '../../rooms/context.ts';
import { loadPreviews, type PreviewedRoom, type Visitor } from '../../rooms/hierarchy/room-previews.ts';
import { loadSpaceChildren } from '../../rooms/hierarchy/space-children.ts';
import { pduOf } from '../../rooms/stored-event.ts';
import { currentStateOfRooms } from '../../storage/stores/room-directory-store.ts';
import { roomsOfServers } from '../../storage/stores/room-server-store.ts';
import type { RequestingServer } from '../contract.ts';

export interface HierarchyQuestion {
  readonly roomId: RoomId;
  readonly suggestedOnly: boolean;
}

/**
 * The room and those of its children that some user of the asking server may see. A few reads, however many children. Children
 * that nobody of ours is in are left to others. Throws M_NOT_FOUND.
 */
export async function answerHierarchy(
  ctx: RoomsContext,
  { origin }: RequestingServer,
  { roomId, suggestedOnly }: HierarchyQuestion,
): Promise<JsonObject> {
  const [root] = await ourRooms(ctx, [roomId]);
  const previewed = root && (await previewsFor(ctx, origin, [root.room])).get(root.room);
  if (previewed === undefined) throw unknownRoom();
  const { room, preview } = previewed;
  const isSpace = preview.room_type === 'm.space';
  const all = isSpace ? ((await loadSpaceChildren(ctx, [room])).get(room) ?? []) : [];
  const shown = all.filter(({ isSuggested }) => isSuggested || !suggestedOnly).slice(0, limits.spaceChildrenToldMax);
  const known = await ourRooms(
    ctx,
    shown.map((child) => child.roomId),
  );
  const children = await previewsFor(
    ctx,
    origin,
    known.map((child) => child.room),
  );
  return {
    room: { ...preview, children_state: shown.map(({ stripped }) => stripped) },
    children: known.flatMap((child) => children.get(child.room)?.preview ?? []),
    inaccessible_children: known.filter((child) => !children.has(child.room)).map((child) => child.room_id),
  };
}

/** In the order of the ids. */
async function ourRooms(ctx: RoomsContext, roomIds: readonly RoomId[]) {
  if (roomIds.length === 0) return [];
  const servers = await ctx.names.serverNids(ctx.localServers.names());
  const rows = await ctx.db.all(roomsOfServers, { servers, roomIds });
  const byId = new Map<string, (typeof rows)[number]>(rows.map((row) => [row.room_id, row]));
  return roomIds.flatMap((roomId) => byId.get(roomId) ?? []);
}

async function previewsFor(
  ctx: RoomsContext,
  server: ServerName,
  rooms: readonly number[],
): Promise<ReadonlyMap<number, PreviewedRoom>> {
  const serverNid = await ctx.names.findServerNid(server);
  // A server that is in no room is as anybody.
  const visitor: Visitor = serverNid === undefined ? undefined : { serverNid };
  const previews = await loadPreviews(ctx, visitor, rooms);
  for (const room of await shutTo(ctx, server, [...previews.keys()])) previews.delete(room);
  return previews;
}

/** Those of the rooms whose access control list shuts the server out. */
async function shutTo(ctx: RoomsContext, server: ServerName, rooms: readonly number[]): Promise<readonly number[]> {
  const [skey] = await ctx.names.findSkeys([{ type: 'm.room.server_acl', key: '' }]);
  if (skey === undefined || rooms.length === 0) return [];
  const rows = await ctx.db.all(currentStateOfRooms, { rooms, skeys: [skey] });
  const isShut = (content: JsonObject): boolean => !compileServerAcl(content).allows(server);
  return rows.filter((row) => isShut(pduOf(row)['content'] as JsonObject)).map(({ room }) => room);
}

const unknownRoom = (): MatrixError => notFound('This server does not know the room, or your server may not see it');
