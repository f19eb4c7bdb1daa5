/** Invites of local users by users of other servers. https://spec.matrix.org/v1.19/server-server-api/#inviting-to-a-room */
import { signEvent } from '../../matrix/crypto/finish-event.ts';
import { MatrixError, forbidden, invalidParam, notFound } from '../../matrix/errors.ts';
import { withoutUnsigned } from '../../matrix/events/client-event.ts';
import type { EventId, RoomId, ServerName, UserId } from '../../matrix/ids/ids.ts';
import { isUserId } from '../../matrix/ids/user-id.ts';
import { canonicalJsonOf } from '../../matrix/json/canonical-json.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../matrix/json/json-value.ts';
import type { RoomVersionRules } from '../../matrix/room-versions/rules.ts';
import { findRoomVersion } from '../../matrix/room-versions/table.ts';
import { serverOf } from '../../rooms/context.ts';
import { writeForeignMembership } from '../../rooms/foreign-memberships.ts';
import { assertMayInvite } from '../../rooms/may-invite.ts';
import type { CheckedEvent } from '../../rooms/receive-event.ts';
import { isResident } from '../../rooms/residence.ts';
import { strippedEvents } from '../../rooms/stripped-state.ts';
import type { RequestingServer } from '../contract.ts';
import { isAllowedIn } from '../room-acl.ts';
import { checkHandedIn } from './check-handed-in.ts';
import type { MembershipContext } from './context.ts';
import { shownRoomState } from './shown-room-state.ts';

export interface InviteRequest {
  readonly roomId: RoomId;
  readonly eventId: EventId;
  readonly roomVersion: string;
  /** Parsed with exact numbers. */
  readonly pdu: JsonObject;
  /** `invite_room_state`. */
  readonly roomState: readonly JsonValue[];
}

type Context = Pick<MembershipContext, 'rooms' | 'verifier' | 'users'>;

/**
 * The invite as canonical JSON with this server's signature. Where nobody of ours is in the room the invited user sees it from now
 * on; else it comes a second time, by a transaction, and takes its place in the room then.
 * Errors: M_INCOMPATIBLE_ROOM_VERSION; M_INVALID_PARAM (no such event, or badly signed); M_MISSING_PARAM (room state of which the
 * contrary of what it claims is proven); M_NOT_FOUND (no such user); M_FORBIDDEN (access control list); M_INVITE_BLOCKED (by the invited).
 */
export async function receiveInvite(
  ctx: Context,
  { origin }: RequestingServer,
  { roomId, eventId, roomVersion, pdu: given, roomState }: InviteRequest,
): Promise<string> {
  const rules = rulesOf(roomVersion);
  const pdu = withoutUnsigned(given);
  const checked = await checkHandedIn(ctx, { origin, roomId, eventId, membership: 'invite', pdu, rules }, undefined);
  const { event } = checked;
  const invited = localUserIn(ctx, event.stateKey);
  if (!(await ctx.users.isActive(invited))) throw notFound('There is no such user');
  ctx.rooms.federationRights?.assertMayFederate(invited, 'incoming');
  await assertMayInvite(ctx.rooms, event.sender, invited);
  const dag = await ctx.rooms.dags.find(roomId);
  if (dag !== undefined && !(await isAllowedIn(dag, origin)))
    throw forbidden('The room does not let your server take part');
  const state = await shownRoomState(ctx, { roomId, rules, roomState });
  const server = serverOf(invited);
  if (isClosedTo(server, state)) ctx.rooms.federationRights?.refuseRoom('incoming', 'room_not_federated');
  const signed = signEvent(event.pdu, server, ctx.rooms.localServers.signingKeyOf(server), rules);
  const body = canonicalJsonOf(rules)(signed);
  await show(ctx, { invited, rules, checked: { event: { ...event, pdu: signed }, body }, state });
  return body;
}

/** Whether what is shown of the room says that users of the server cannot be in it. */
function isClosedTo(server: ServerName, state: readonly JsonObject[]): boolean {
  const create = state.find(({ type, state_key: stateKey }) => type === 'm.room.create' && stateKey === '');
  const { content, sender } = create ?? {};
  return isJsonObject(content) && content['m.federate'] === false && isUserId(sender) && serverOf(sender) !== server;
}

interface ShownInvite {
  readonly invited: UserId;
  readonly rules: RoomVersionRules;
  readonly checked: CheckedEvent;
  readonly state: readonly JsonObject[];
}

async function show({ rooms }: Context, { invited, rules, checked, state }: ShownInvite): Promise<void> {
  const { event, body } = checked;
  await rooms.locks.run(event.roomId, async () => {
    const dag = await rooms.dags.adopt(event.roomId, rules.version);
    if (dag.rules.version !== rules.version) throw invalidParam(`The room has version ${dag.rules.version}`);
    if (await isResident(rooms, dag.room)) return;
    const stripped = [...state, ...strippedEvents([event])];
    const server = serverOf(event.sender);
    await writeForeignMembership(rooms, dag, { userId: invited, membership: 'invite', event, body, server, stripped });
  });
}

function rulesOf(version: string): RoomVersionRules {
  const rules = findRoomVersion(version);
  if (rules !== undefined) return rules;
  throw new MatrixError(400, 'M_INCOMPATIBLE_ROOM_VERSION', `Room version ${version} is not supported here`, {
    room_version: version,
  });
}

function localUserIn({ rooms }: Context, stateKey: string | undefined): UserId {
  if (isUserId(stateKey) && rooms.localServers.isLocal(serverOf(stateKey))) return stateKey;
  throw invalidParam('The state_key is no user of this server');
}
