/** The answer to send_join: the room's state before the join. */
import type { RoomEvent } from '../../matrix/events/room-event.ts';
import type { EventId, RoomId } from '../../matrix/ids/ids.ts';
import type { JsonObject } from '../../matrix/json/json-value.ts';
import { limits } from '../../platform/limits.ts';
import { serverOf } from '../../rooms/context.ts';
import { loadAuthChain } from '../../rooms/dag/auth-chain.ts';
import { membersOf, serversInRoom } from '../../storage/stores/membership-store.ts';
import { placesByIds } from '../../storage/stores/room-graph-store.ts';
import { objectOfArrays, pduPieces } from '../answers/json-pieces.ts';
import type { RequestingServer } from '../contract.ts';
import type { MembershipContext } from './context.ts';
import { type Taken, takeMembership } from './take-membership.ts';

export interface SendJoinRequest {
  readonly roomId: RoomId;
  readonly eventId: EventId;
  /** Parsed with exact numbers. */
  readonly pdu: JsonObject;
  /** The other server can do without most memberships at first. */
  readonly omitMembers: boolean;
}

/** JSON text in pieces. Errors: as `takeMembership`. */
export async function sendJoin(
  ctx: Pick<MembershipContext, 'rooms' | 'verifier' | 'pause'>,
  requester: RequestingServer,
  { omitMembers, ...request }: SendJoinRequest,
): Promise<AsyncIterable<Buffer>> {
  const taken = await takeMembership(ctx, requester, { ...request, membership: 'join' });
  const { dag, event, placed } = taken;
  const state = omitMembers ? await withoutMembers(ctx, taken) : await stateBefore(ctx, placed.nid);
  const chain = await chainOf(ctx, taken, state);
  const told = new Set(state);
  const reading = { db: ctx.rooms.db, pause: ctx.pause };
  const servers = omitMembers ? await serversBefore(ctx, placed.room, event.event) : [];
  const fields = [
    `"event":${event.body}`,
    `"members_omitted":${omitMembers}`,
    `"origin":${JSON.stringify(requester.destination)}`,
    ...(omitMembers ? [`"servers_in_room":${JSON.stringify(servers)}`] : []),
  ];
  return withFields(
    fields,
    objectOfArrays([
      ['auth_chain', pduPieces(reading, omitMembers ? chain.filter((nid) => !told.has(nid)) : chain, dag.rules)],
      ['state', pduPieces(reading, state, dag.rules)],
    ]),
  );
}

async function stateBefore({ rooms }: Pick<MembershipContext, 'rooms'>, nid: number): Promise<number[]> {
  return [...(await rooms.states.stateBefore(nid)).values()];
}

/** Of the memberships only those by which a room without a name is known, and what the user was before. */
async function withoutMembers(
  ctx: Pick<MembershipContext, 'rooms'>,
  { dag, event: { event }, placed }: Taken,
): Promise<number[]> {
  const { rooms } = ctx;
  const skeys = [...(await rooms.otherKeys.of(dag.room))];
  const state = new Map(await rooms.states.stateEventsAfter(placed.nid, skeys));
  const heroes = (await hasName(ctx, placed.nid)) ? [] : await heroesOf(ctx, dag.room, event);
  const keys = await rooms.names.findSkeys(heroes.map((userId) => ({ type: 'm.room.member', key: userId })));
  const members = await rooms.states.stateEventsAfter(
    placed.nid,
    keys.filter((skey) => skey !== undefined),
  );
  return [...state.values(), ...members.values()];
}

async function hasName({ rooms }: Pick<MembershipContext, 'rooms'>, nid: number): Promise<boolean> {
  const [name, alias] = await Promise.all([
    rooms.states.stateEventAfter(nid, 'm.room.name', ''),
    rooms.states.stateEventAfter(nid, 'm.room.canonical_alias', ''),
  ]);
  return name !== undefined || alias !== undefined;
}

/** https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3sync (m.heroes) */
async function heroesOf(
  { rooms }: Pick<MembershipContext, 'rooms'>,
  room: number,
  { sender }: RoomEvent,
): Promise<readonly string[]> {
  const nids: number[] = [];
  for (const membership of ['join', 'invite', 'leave', 'ban']) {
    if (nids.length > heroesMax) break;
    const rows = await rooms.db.all(membersOf, { room, membership, limit: heroesMax + 1 });
    nids.push(...rows.map((row) => row.user_nid));
  }
  const userIds = await rooms.names.userIds(nids);
  return userIds.filter((userId) => userId !== sender).slice(0, heroesMax);
}
const heroesMax = 5;

/** Of the join and of the state. */
async function chainOf(
  { rooms, pause }: Pick<MembershipContext, 'rooms' | 'pause'>,
  { event: { event }, placed }: Taken,
  state: readonly number[],
): Promise<number[]> {
  const cited = await rooms.db.all(placesByIds, { eventIds: [...event.authEvents] });
  const chain = await loadAuthChain(rooms.db, [...state, placed.nid], pause);
  for (const { nid } of cited) chain.add(nid);
  return [...chain];
}

/** The other server is among them only if others of its users are joined. */
async function serversBefore(
  { rooms }: Pick<MembershipContext, 'rooms'>,
  room: number,
  { sender }: RoomEvent,
): Promise<string[]> {
  const rows = await rooms.db.all(serversInRoom, { room, limit: limits.serversInRoomMax });
  const own = serverOf(sender);
  return rows.flatMap(({ name, joined }) => (name === own && joined === 1 ? [] : name));
}

/** Puts further members before those of an object. */
async function* withFields(fields: readonly string[], object: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
  let isFirst = true;
  for await (const piece of object) {
    yield isFirst ? Buffer.concat([Buffer.from(`{${fields.join()},`), piece.subarray(1)]) : piece;
    isFirst = false;
  }
}
