/** The state of a room as its members may read it. https://spec.matrix.org/v1.19/client-server-api/#getting-events-for-a-room */
import { invalidParam, notFound } from '../matrix/errors.ts';
import type { RoomId, UserId } from '../matrix/ids/ids.ts';
import type { JsonObject, JsonValue } from '../matrix/json/json-value.ts';
import { historyOfKeys } from '../storage/stores/state-line-store.ts';
import { type EventRow, eventById, eventsByNids } from '../storage/stores/timeline-store.ts';
import { type Viewer, clientEvents } from './client-events.ts';
import type { Actor, RoomsContext } from './context.ts';
import type { RoomDag } from './dag/contract.ts';
import { erasedFor, shownPdu, sourceEvent } from './erasure.ts';
import { isVisible } from './history-visibility.ts';
import { openJoinedRoom, openRoom } from './membership.ts';
import { parseStreamToken, parseTimelineToken, posBefore } from './pagination-token.ts';
import { pduOf } from './stored-event.ts';
import { type ReadAccess, readAccess } from './visibility.ts';

/** Bodies are read in slices, so that a large room does not become one query's parameter. */
const sliceEvents = 500;

export interface MembersFilter {
  /** A token: the members as they were then. */
  readonly at?: string | undefined;
  readonly membership?: string | undefined;
  readonly notMembership?: string | undefined;
}

/** `GET /rooms/{roomId}/state`. Those who have left get the state as of then. Errors: M_FORBIDDEN. */
export async function readState(ctx: RoomsContext, actor: Actor, roomId: RoomId): Promise<JsonObject[]> {
  const opened = await openWhole(ctx, actor, roomId);
  return clientEvents(ctx, await stateRows(ctx, opened.dag, opened.pos, 'all'), await viewer(ctx, actor, opened));
}

/** `GET /rooms/{roomId}/state/{eventType}/{stateKey}`. Errors: M_FORBIDDEN, M_NOT_FOUND. */
export async function readStateEvent(
  ctx: RoomsContext,
  actor: Actor,
  roomId: RoomId,
  type: string,
  stateKey: string,
  format: 'content' | 'event',
): Promise<JsonObject> {
  const opened = await openForReading(ctx, actor, roomId);
  const { dag, pos } = opened;
  const row = await stateRow(ctx, dag, pos, type, stateKey);
  if (row === undefined && (await wasPartial(ctx, opened, type)))
    return readStateEvent(ctx, actor, roomId, type, stateKey, format);
  if (row === undefined) throw notFound('There is no such state in this room');
  if (format === 'content') {
    const shown = shownPdu(sourceEvent(row), dag.rules, erasedFor(ctx, opened.access.timeline));
    return shown['content'] as JsonObject;
  }
  const [event] = await clientEvents(ctx, [row], await viewer(ctx, actor, opened));
  return event ?? {};
}

/** `GET /rooms/{roomId}/members`. Errors: M_FORBIDDEN, M_INVALID_PARAM (at). */
export async function readMembers(
  ctx: RoomsContext,
  actor: Actor,
  roomId: RoomId,
  filter: MembersFilter,
): Promise<JsonObject[]> {
  const opened = await openWhole(ctx, actor, roomId);
  const { dag, access, pos } = opened;
  const wanted = filter.at === undefined ? pos : Math.min(pos, visibleFrom(access, await pointOf(ctx, dag, filter.at)));
  const at = Math.min(pos, await wholeFrom(ctx, dag, wanted));
  const rows = await stateRows(ctx, dag, at, { type: 'm.room.member' });
  const passing = rows.filter((row) => passesMembers(filter, (pduOf(row)['content'] as JsonObject)['membership']));
  return clientEvents(ctx, passing, await viewer(ctx, actor, opened));
}

/** The position itself; of a time since our join when the members were not known yet, the one from which on they are. */
async function wholeFrom(ctx: RoomsContext, { room }: RoomDag, pos: number): Promise<number> {
  const { filledPos = pos, joinId } = ctx.partialRooms.find(room) ?? {};
  if (filledPos <= pos || joinId === undefined) return pos;
  const join = await ctx.db.one(eventById, { eventId: joinId });
  return join?.pos == null || pos < join.pos ? pos : filledPos;
}

/** Both together mean either. */
function passesMembers({ membership, notMembership }: MembersFilter, actual: JsonValue | undefined): boolean {
  if (membership === undefined) return notMembership === undefined || actual !== notMembership;
  return actual === membership || (notMembership !== undefined && actual !== notMembership);
}

/** A room's beginning is where its creator is in it: a timeline that goes back all the way has a token before anybody was. */
async function pointOf(ctx: RoomsContext, dag: RoomDag, token: string): Promise<number> {
  const pos = positionOf(token);
  const create = await dag.currentEvent('m.room.create', '');
  const skey = create && (await ctx.names.findSkey('m.room.member', create.sender));
  if (skey === undefined) return pos;
  const [first] = await ctx.db.all(historyOfKeys, { room: dag.room, first: skey, second: skey });
  return Math.max(pos, first?.pos ?? pos);
}

/** From /sync (next_batch or prev_batch) or /messages. */
function positionOf(token: string): number {
  const pos = parseStreamToken(token);
  if (pos !== undefined) return pos;
  const ord = parseTimelineToken(token);
  if (ord === undefined) throw invalidParam('at is not a token of this server');
  return posBefore(ord);
}

/** The position itself, or the next one at which the user may see the room. */
function visibleFrom(access: ReadAccess, pos: number): number {
  if (isVisible(access.timeline, pos)) return pos;
  return access.timeline.memberships.find((entry) => entry.value === 'join' && entry.pos > pos)?.pos ?? Infinity;
}

/** `GET /rooms/{roomId}/joined_members`. Errors: M_FORBIDDEN unless the user is joined. */
export async function readJoinedMembers(
  ctx: RoomsContext,
  actor: Actor,
  roomId: RoomId,
): Promise<Record<string, JsonObject>> {
  const dag = await openJoinedRoom(ctx, actor.userId, roomId);
  await ctx.partialRooms.whole(dag.room);
  const pos = ctx.db.committedPos();
  const joined: Record<string, JsonObject> = {};
  for (const row of await stateRows(ctx, dag, pos, { type: 'm.room.member' })) {
    const { content, state_key: userId } = pduOf(row) as { content: JsonObject; state_key: string };
    if (content['membership'] !== 'join') continue;
    // Other servers say null for what somebody has not set, and clients expect the keys.
    joined[userId] = {
      display_name: textOrNull(content['displayname']),
      avatar_url: textOrNull(content['avatar_url']),
    };
  }
  return joined;
}

/** The event that a key of the state had at a position. */
export async function stateRow(
  ctx: RoomsContext,
  dag: RoomDag,
  pos: number,
  type: string,
  stateKey: string,
): Promise<EventRow | undefined> {
  const nid = await ctx.states.stateEventAt(dag.room, pos, type, stateKey);
  if (nid === undefined) return undefined;
  const [row] = await ctx.db.all(eventsByNids, { nids: [nid] });
  return row;
}

/** Of the users, the membership events at a position, in no particular order. */
export async function memberRows(
  ctx: RoomsContext,
  dag: RoomDag,
  pos: number,
  userIds: readonly UserId[],
): Promise<EventRow[]> {
  if (userIds.length === 0) return [];
  const found = await ctx.names.findSkeys(userIds.map((userId) => ({ type: 'm.room.member', key: userId })));
  const skeys = found.filter((skey) => skey !== undefined);
  const nids = [...(await ctx.states.stateEventsAt(dag.room, pos, skeys)).values()];
  return nids.length === 0 ? [] : ctx.db.all(eventsByNids, { nids });
}

export type WhichState = 'all' | 'without-members' | { readonly type: string };

/** The whole state at a position, or its events of one type. Grows with the state. */
export async function stateRows(ctx: RoomsContext, dag: RoomDag, pos: number, which: WhichState): Promise<EventRow[]> {
  const nids = [...(await stateAt(ctx, dag, pos, which)).values()];
  const rows: EventRow[] = [];
  for (let i = 0; i < nids.length; i += sliceEvents)
    rows.push(...(await ctx.db.all(eventsByNids, { nids: nids.slice(i, i + sliceEvents) })));
  return rows;
}

/** The numbers of the events of the state at a position, by key. Grows with the state, or with what of it is no membership. */
export async function stateAt(
  ctx: RoomsContext,
  dag: RoomDag,
  pos: number,
  which: WhichState,
): Promise<ReadonlyMap<number, number>> {
  if (which === 'without-members') return ctx.states.stateEventsAt(dag.room, pos, await ctx.otherKeys.of(dag.room));
  return partOfState(ctx, await ctx.states.stateAt(dag.room, pos), which);
}

/** Of a whole state. */
export async function partOfState(
  ctx: RoomsContext,
  state: ReadonlyMap<number, number>,
  which: WhichState,
): Promise<ReadonlyMap<number, number>> {
  if (which === 'all') return state;
  const entries = [...state];
  const keys = await ctx.names.stateKeysOf(entries.map(([skey]) => skey));
  const isWanted = (type: string | undefined): boolean =>
    which === 'without-members' ? type !== 'm.room.member' : type === which.type;
  return new Map(entries.filter((_entry, index) => isWanted(keys[index]?.type)));
}

export interface OpenedForReading {
  readonly dag: RoomDag;
  readonly access: ReadAccess;
  readonly pos: number;
}

/** Opens a room for somebody who may see its state, and says as of which position. */
export async function openForReading(ctx: RoomsContext, actor: Actor, roomId: RoomId): Promise<OpenedForReading> {
  const dag = await openRoom(ctx, roomId);
  const access = await readAccess(ctx, dag.room, actor.userId);
  return { dag, access, pos: access.statePos ?? ctx.db.committedPos() };
}

/** The same, once the room's members are known; who is not in the room any more does not wait for them. */
export async function openWhole(ctx: RoomsContext, actor: Actor, roomId: RoomId): Promise<OpenedForReading> {
  const opened = await openForReading(ctx, actor, roomId);
  const { dag, access } = opened;
  if (access.statePos !== undefined || !(await isPartial(ctx, dag))) return opened;
  await ctx.partialRooms.whole(dag.room);
  return openForReading(ctx, actor, roomId);
}

async function isPartial({ partialRooms }: RoomsContext, { room }: RoomDag): Promise<boolean> {
  await partialRooms.load();
  return partialRooms.isPartial(room);
}

/** Whether a membership may be missing only because it was not known yet; when this resolves it is. */
async function wasPartial(ctx: RoomsContext, { dag, access }: OpenedForReading, type: string): Promise<boolean> {
  if (type !== 'm.room.member' || access.statePos !== undefined || !(await isPartial(ctx, dag))) return false;
  await ctx.partialRooms.whole(dag.room);
  return true;
}

export async function viewer(
  ctx: RoomsContext,
  actor: Actor,
  { access, pos }: Pick<OpenedForReading, 'access' | 'pos'>,
): Promise<Viewer> {
  const { userNid, deviceNid } = actor;
  return { userNid, deviceNid, timeline: access.timeline, until: pos, ignored: await ignoredNids(ctx, actor) };
}

/** The numbers of those whom a user ignores, as far as they ever sent something here. */
export async function ignoredNids(ctx: RoomsContext, user: Pick<Actor, 'userId' | 'userNid'>): Promise<number[]> {
  const ignored = await ctx.ignored.of(user);
  if (ignored.size === 0) return [];
  const nids = await ctx.names.findUserNids([...ignored] as UserId[]);
  return nids.filter((nid) => nid !== undefined);
}

const textOrNull = (value: JsonValue | undefined): string | null => (typeof value === 'string' ? value : null);
