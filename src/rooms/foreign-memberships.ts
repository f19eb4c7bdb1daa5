/**
 * Memberships of local users in rooms that nobody of ours is in: invites and knocks, which stand in no graph here, and their end.
 * https://spec.matrix.org/v1.19/server-server-api/#inviting-to-a-room
 */
import type { RoomEvent } from '../matrix/events/room-event.ts';
import { roomEventFromPdu } from '../matrix/events/room-event-from-pdu.ts';
import type { EventId, ServerName, UserId } from '../matrix/ids/ids.ts';
import type { JsonObject } from '../matrix/json/json-value.ts';
import {
  dropForeignMembership,
  foreignDeparture,
  foreignMembership,
  setForeignMembership,
} from '../storage/stores/foreign-membership-store.ts';
import { userRoom } from '../storage/stores/membership-store.ts';
import { type RoomsContext, serverOf } from './context.ts';
import type { RoomDag } from './dag/contract.ts';
import { type MemberChange, applyMemberChange } from './member-changes.ts';
import type { CheckedEvent } from './receive-event.ts';

export interface ForeignMembership extends CheckedEvent {
  readonly userId: UserId;
  readonly membership: 'invite' | 'knock' | 'leave' | 'ban';
  /** Through which it came or was made. */
  readonly server: ServerName;
  /** What the user is shown of the room: of an invite or a knock. */
  readonly stripped: readonly JsonObject[];
}

/** A user's invite or knock in a room that nobody of ours is in. */
export interface Standing {
  readonly membership: string;
  /** undefined: it was made while somebody of ours was in the room. */
  readonly foreign: { readonly event: RoomEvent; readonly server: ServerName } | undefined;
}

/** To be called with the room's lock held. On disk when this resolves. */
export async function writeForeignMembership(
  ctx: RoomsContext,
  dag: RoomDag,
  { userId, membership, event, body, server, stripped }: ForeignMembership,
): Promise<void> {
  const member = await changeOf(ctx, dag, userId, membership);
  const serverNid = await ctx.names.serverNid(server);
  const isOver = membership === 'leave' || membership === 'ban';
  const told = isOver ? member : { ...member, stripped: JSON.stringify(stripped) };
  await write(ctx, dag, told, (unit, place) => {
    const json = { eventId: event.eventId, json: body, server: serverNid };
    unit.run(setForeignMembership, { user: place.user, room: place.room, ...json });
  });
}

/** The same where nothing says so but the user, because no server of the room answers. */
export async function withdrawForeignMembership(ctx: RoomsContext, dag: RoomDag, userId: UserId): Promise<void> {
  const member = await changeOf(ctx, dag, userId, 'leave');
  await write(ctx, dag, member, (unit, { user, room }) => unit.run(dropForeignMembership, { user, room }));
}

/** What a local user is in a room, whatever the room's graph says; undefined: they never had to do with it. */
export async function standingOf(ctx: RoomsContext, dag: RoomDag, userId: UserId): Promise<Standing | undefined> {
  const user = await ctx.names.userNid(userId);
  const key = { user, room: dag.room };
  const standing = await ctx.db.one(userRoom, key);
  if (standing === undefined) return undefined;
  const row = await ctx.db.one(foreignMembership, key);
  if (row === undefined) return { membership: standing.membership, foreign: undefined };
  const server = await ctx.names.serverName(row.server_nid);
  return { membership: standing.membership, foreign: { event: eventOf(row, dag), server } };
}

/** How somebody came to be out of a room whose graph here does not say so. */
export interface ForeignDeparture {
  readonly event: RoomEvent;
  /** Since when. */
  readonly pos: number;
}

/** undefined: the room's graph says what they are, or they are not out of it. */
export async function findForeignDeparture(
  ctx: Pick<RoomsContext, 'db'>,
  dag: RoomDag,
  userNid: number,
): Promise<ForeignDeparture | undefined> {
  const row = await ctx.db.one(foreignDeparture, { user: userNid, room: dag.room });
  return row && { event: eventOf(row, dag), pos: row.pos };
}

function eventOf(row: { readonly event_id: string; readonly json: string }, { rules }: RoomDag): RoomEvent {
  return roomEventFromPdu(JSON.parse(row.json) as JsonObject, rules, row.event_id as EventId);
}

async function changeOf(
  ctx: RoomsContext,
  dag: RoomDag,
  userId: UserId,
  membership: ForeignMembership['membership'],
): Promise<MemberChange> {
  const userNid = await ctx.names.userNid(userId);
  const standing = await ctx.db.one(userRoom, { user: userNid, room: dag.room });
  return {
    userId,
    userNid,
    serverNid: await ctx.names.serverNid(serverOf(userId)),
    isLocal: true,
    membership,
    previous: standing?.membership,
    eventNid: 0,
    stripped: undefined,
  };
}

type Unit = Parameters<Parameters<RoomsContext['db']['write']>[0]>[0];

async function write(
  ctx: RoomsContext,
  dag: RoomDag,
  member: MemberChange,
  also: (unit: Unit, place: { readonly user: number; readonly room: number }) => void,
): Promise<void> {
  const { room } = dag;
  const notifySeq = dag.notifySeq();
  const { committed } = ctx.db.write((unit) => {
    applyMemberChange(unit, member, { room, pos: unit.nextPos(), ord: null, notifySeq });
    also(unit, { user: member.userNid, room });
  });
  await committed;
}
