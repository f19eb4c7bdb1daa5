/**
 * The two requests by which a user of this server comes to a membership through another one.
 * https://spec.matrix.org/v1.19/server-server-api/#joining-rooms
 */
import { type FinishedEvent, finishEvent } from '../../matrix/crypto/finish-event.ts';
import { MatrixError } from '../../matrix/errors.ts';
import type { RoomId, ServerName, UserId } from '../../matrix/ids/ids.ts';
import { isJsonObject, type JsonObject } from '../../matrix/json/json-value.ts';
import type { RoomVersionRules } from '../../matrix/room-versions/rules.ts';
import { experimentalRoomVersions, findRoomVersion, roomVersions } from '../../matrix/room-versions/table.ts';
import { limits } from '../../platform/limits.ts';
import { type RoomsContext, randomOpaqueId, serverOf } from '../../rooms/context.ts';
import type { FederationClient } from '../contract.ts';
import { FederationError } from '../federation-error.ts';
import { federationPath } from '../federation-path.ts';
import type { HandedMembership } from './make-membership.ts';

interface Context {
  readonly rooms: RoomsContext;
  readonly client: FederationClient;
}
export interface MadeMembership {
  readonly roomId: RoomId;
  readonly userId: UserId;
  readonly membership: HandedMembership;
  /** Of the event, without the membership. */
  readonly content: JsonObject;
}
export interface SignedMembership extends FinishedEvent {
  readonly rules: RoomVersionRules;
  readonly server: ServerName;
}

/** Asks a server for an event, checks that it is what was asked for, and signs it. Throws FederationError. */
export async function signedMembership(
  { rooms, client }: Context,
  server: ServerName,
  wanted: MadeMembership,
): Promise<SignedMembership> {
  const { roomId, userId, membership } = wanted;
  const origin = serverOf(userId);
  const answer = await client.request({
    destination: server,
    origin,
    method: 'GET',
    path: makePath(membership, roomId, userId),
    ...(membership === 'leave' ? {} : { query: { ver: supportedVersions } }),
    timeoutMs: limits.makeMembershipTimeoutMs,
    isUrgent: true,
  });
  const { rules, template } = checkedTemplate(server, wanted, answer);
  const pdu = pduOf(rooms, rules, wanted, template);
  try {
    const finished = finishEvent(pdu, rules, origin, rooms.localServers.signingKeyOf(origin));
    return { ...finished, rules, server };
  } catch (error) {
    // Of our part only the content could be at fault, and it is small.
    if (!(error instanceof MatrixError)) throw error;
    throw new FederationError(server, 'unusable', `an event that cannot be signed: ${error.message}`, { cause: error });
  }
}

/** Hands a signed event in. The answer is not looked at. Throws FederationError. */
export async function handIn(
  { client }: Context,
  { event, server }: Pick<SignedMembership, 'event' | 'server'>,
  membership: HandedMembership,
  options: { readonly omitMembers?: boolean } = {},
): Promise<JsonObject> {
  const { roomId, eventId } = event;
  const isJoin = membership === 'join';
  return client.request({
    destination: server,
    origin: serverOf(event.sender),
    method: 'PUT',
    path: sendPath(membership, roomId, eventId),
    ...(options.omitMembers === true ? { query: { omit_members: true } } : {}),
    content: event.pdu,
    timeoutMs: isJoin ? limits.sendJoinTimeoutMs : limits.sendMembershipTimeoutMs,
    ...(isJoin ? { responseBytesMax: limits.remoteStateBytesMax } : {}),
    isUrgent: true,
  });
}

function makePath(membership: HandedMembership, roomId: RoomId, userId: UserId): string {
  if (membership === 'join') return federationPath`/_matrix/federation/v1/make_join/${roomId}/${userId}`;
  if (membership === 'leave') return federationPath`/_matrix/federation/v1/make_leave/${roomId}/${userId}`;
  return federationPath`/_matrix/federation/v1/make_knock/${roomId}/${userId}`;
}

function sendPath(membership: HandedMembership, roomId: string, eventId: string): string {
  if (membership === 'join') return federationPath`/_matrix/federation/v2/send_join/${roomId}/${eventId}`;
  if (membership === 'leave') return federationPath`/_matrix/federation/v2/send_leave/${roomId}/${eventId}`;
  return federationPath`/_matrix/federation/v1/send_knock/${roomId}/${eventId}`;
}

const supportedVersions: readonly string[] = [...Object.keys(roomVersions), ...Object.keys(experimentalRoomVersions)];

function checkedTemplate(
  server: ServerName,
  { roomId, userId, membership }: MadeMembership,
  answer: JsonObject,
): { readonly rules: RoomVersionRules; readonly template: JsonObject } {
  // A server that does not name it knows no other than the first two, which make events alike.
  const version = answer['room_version'] ?? '1';
  const rules = typeof version === 'string' ? findRoomVersion(version) : undefined;
  if (rules === undefined) throw unusable(server, 'the room has a version that was not asked for');
  const template = answer['event'];
  if (!isJsonObject(template)) throw unusable(server, 'there is no event');
  const { type, room_id: givenRoom, sender, state_key: stateKey, content } = template;
  if (type !== 'm.room.member' || givenRoom !== roomId || sender !== userId || stateKey !== userId)
    throw unusable(server, 'the event is not the one that was asked for');
  if (!isJsonObject(content)) throw unusable(server, 'the event has no content');
  // Of knocks some servers do not say that they are one.
  if (membership !== 'knock' && content['membership'] !== membership)
    throw unusable(server, `the membership is not ${membership}`);
  const { prev_events: prevEvents } = template;
  if (!Array.isArray(prevEvents) || prevEvents.length === 0) throw unusable(server, 'the event has no parents');
  return { rules, template };
}

/** Of the template only what the other server alone can know. */
function pduOf(
  rooms: RoomsContext,
  rules: RoomVersionRules,
  { roomId, userId, membership, content }: MadeMembership,
  template: JsonObject,
): JsonObject {
  const given = template['content'];
  const via = isJsonObject(given) ? given['join_authorised_via_users_server'] : undefined;
  const isAuthorised = membership === 'join' && rules.eventAuth.restricted && typeof via === 'string';
  const pdu: JsonObject = {
    type: 'm.room.member',
    room_id: roomId,
    sender: userId,
    state_key: userId,
    content: { ...content, membership, ...(isAuthorised ? { join_authorised_via_users_server: via } : {}) },
    origin_server_ts: rooms.clock.nowMs(),
    depth: template['depth'],
    prev_events: template['prev_events'],
    auth_events: template['auth_events'],
  };
  if (!rules.eventFormat.eventIdField) return pdu;
  const origin = serverOf(userId);
  return { ...pdu, origin, event_id: `$${randomOpaqueId(rooms.random)}:${origin}` };
}

function unusable(server: ServerName, reason: string): FederationError {
  return new FederationError(server, 'unusable', `an answer that is not what was asked for: ${reason}`);
}
