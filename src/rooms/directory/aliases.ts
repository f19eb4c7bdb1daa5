/** The room aliases of this server. https://spec.matrix.org/v1.19/client-server-api/#room-aliases */
import { MatrixError, forbidden, invalidParam, notFound } from '../../matrix/errors.ts';
import type { RoomAlias, RoomId, ServerName } from '../../matrix/ids/ids.ts';
import { localpartOfAlias, serverNameOfAlias } from '../../matrix/ids/room-id.ts';
import { limits } from '../../platform/limits.ts';
import { UniqueViolation, UnitFailed } from '../../storage/database.ts';
import { serversInRoom } from '../../storage/stores/membership-store.ts';
import {
  type AliasRow,
  aliasByName,
  aliasesOfRoom,
  deleteAlias as deleteAliasRow,
  insertAlias,
} from '../../storage/stores/room-directory-store.ts';
import { appendLocalEvent } from '../append-local-event.ts';
import { withoutAliases } from '../canonical-alias.ts';
import type { Actor, RoomsContext } from '../context.ts';
import type { Placed, RoomDag } from '../dag/contract.ts';
import { assertJoined, memberOf, membershipIn, notInRoom, openRoom } from '../membership.ts';
import { maySendState } from '../power.ts';

/** The type of the event whose level says who manages a room's entries in the directory. */
export const directoryEventType = 'm.room.canonical_alias';

export interface ResolvedAlias {
  readonly room_id: RoomId;
  /** Servers that can be asked for the room, this one first. */
  readonly servers: readonly ServerName[];
}

/**
 * `PUT /directory/room/{roomAlias}`, for who is in the room.
 * Errors: M_FORBIDDEN (not in the room, or the alias of another server), M_INVALID_PARAM, 409 M_UNKNOWN when the alias exists.
 */
export async function setAlias(ctx: RoomsContext, actor: Actor, alias: RoomAlias, roomId: RoomId): Promise<void> {
  assertOwn(ctx, alias);
  if (localpartOfAlias(alias) === '') throw invalidParam('An alias has a name before the colon');
  const dag = actor.isAdmin === true ? await ctx.dags.open(roomId) : await openRoom(ctx, roomId);
  if (actor.isAdmin !== true) await assertJoined(dag, actor.userId);
  await ctx.aliasLocks.run(alias, async () => {
    const ticket = ctx.db.write((unit) => unit.run(insertAlias, { alias, room: dag.room, creator: actor.userNid }));
    await ticket.committed.catch((error: unknown) => {
      throw error instanceof UnitFailed && error.cause instanceof UniqueViolation
        ? new MatrixError(409, 'M_UNKNOWN', `The alias ${alias} exists already`)
        : error;
    });
  });
}

/** `GET /directory/room/{roomAlias}`. Of another server's alias that server is asked. Errors: M_NOT_FOUND. */
export async function resolveAlias(ctx: RoomsContext, alias: RoomAlias): Promise<ResolvedAlias> {
  const server = serverNameOfAlias(alias);
  if (!ctx.localServers.isLocal(server)) {
    const { roomId, servers } = await ctx.remoteAliases.resolve(alias);
    return { room_id: roomId, servers: [...new Set([server, ...servers])].slice(0, limits.aliasServersMax) };
  }
  return resolveLocalAlias(ctx, alias);
}

/** The same for whoever asks about an alias of this server. Errors: M_NOT_FOUND. */
export async function resolveLocalAlias(ctx: RoomsContext, alias: RoomAlias): Promise<ResolvedAlias> {
  const row = await getAlias(ctx, alias);
  const { room } = row;
  const rows = await ctx.db.all(serversInRoom, { room, limit: limits.aliasServersMax });
  await ctx.partialRooms.load();
  const said = ctx.partialRooms.isPartial(room) ? await ctx.partialRooms.servers(room) : [];
  const servers = new Set([serverNameOfAlias(alias), ...rows.map(({ name }) => name as ServerName), ...said]);
  return { room_id: row.room_id as RoomId, servers: [...servers].slice(0, limits.aliasServersMax) };
}

/**
 * `DELETE /directory/room/{roomAlias}`, for who made it, who may set the room's canonical alias, and administrators of the
 * server. The room's canonical alias event loses the alias with it if the user may change that event.
 * Errors: M_NOT_FOUND, M_FORBIDDEN.
 */
export async function deleteAlias(ctx: RoomsContext, actor: Actor, alias: RoomAlias): Promise<void> {
  assertOwn(ctx, alias);
  await ctx.aliasLocks.run(alias, async () => {
    for (;;) {
      const { room_id: roomId } = await getAlias(ctx, alias);
      if (await ctx.locks.run(roomId as RoomId, () => removeFrom(ctx, actor, alias, roomId as RoomId))) return;
    }
  });
}

/** With the room's lock. false: meanwhile the alias leads to another room. */
async function removeFrom(ctx: RoomsContext, actor: Actor, alias: RoomAlias, roomId: RoomId): Promise<boolean> {
  const row = await getAlias(ctx, alias);
  if (row.room_id !== roomId) return false;
  const dag = await ctx.dags.open(roomId);
  const isAllowed =
    row.creator === actor.userNid ||
    actor.isAdmin === true ||
    (await maySendState(dag, actor.userId, directoryEventType));
  if (!isAllowed) throw forbidden('This alias is not yours, and you may not change the aliases of its room');
  const placed = await removeWithEvent(ctx, actor, dag, alias);
  const ticket = placed?.ticket ?? ctx.db.write((unit) => unit.run(deleteAliasRow, { alias }));
  await ticket.committed;
  return true;
}

/** undefined: the room's canonical alias event does not name the alias, or the user may not change it. */
async function removeWithEvent(
  ctx: RoomsContext,
  actor: Actor,
  dag: RoomDag,
  alias: RoomAlias,
): Promise<Placed | undefined> {
  const current = (await dag.currentEvent(directoryEventType, ''))?.content ?? {};
  const content = withoutAliases(current, new Set([alias]));
  if (content === current || !(await maySendState(dag, actor.userId, directoryEventType))) return undefined;
  const { placed } = await appendLocalEvent(
    ctx,
    dag,
    { type: directoryEventType, stateKey: '', sender: actor.userId, content },
    { also: (unit) => unit.run(deleteAliasRow, { alias }) },
  );
  return placed;
}

/** `GET /rooms/{roomId}/aliases`, for members and, where everybody may read the room, everybody. Errors: M_FORBIDDEN. */
export async function localAliases(ctx: RoomsContext, actor: Actor, roomId: RoomId): Promise<RoomAlias[]> {
  const dag = await openRoom(ctx, roomId);
  if (actor.isAdmin !== true && !(await mayList(dag, actor))) throw notInRoom();
  const rows = await ctx.db.all(aliasesOfRoom, { room: dag.room });
  return rows.map(({ alias }) => alias as RoomAlias);
}

async function mayList(dag: RoomDag, actor: Actor): Promise<boolean> {
  if (membershipIn(await memberOf(dag, actor.userId)) === 'join') return true;
  const visibility = await dag.currentEvent('m.room.history_visibility', '');
  return visibility?.content['history_visibility'] === 'world_readable';
}

async function getAlias(ctx: RoomsContext, alias: RoomAlias): Promise<AliasRow> {
  const row = await ctx.db.one(aliasByName, { alias });
  if (row === undefined) throw notFound(`There is no room ${alias}`);
  return row;
}

function assertOwn(ctx: RoomsContext, alias: RoomAlias): void {
  if (!ctx.localServers.isLocal(serverNameOfAlias(alias))) throw forbidden('This alias belongs to another server');
}
