/**
 * What a reader is not told because it comes from somebody they ignore: messages, presence, typing, receipts and invites.
 * State is told all the same. https://spec.matrix.org/v1.19/client-server-api/#ignoring-users
 */
import type { UserId } from '../matrix/ids/ids.ts';
import { isUserId } from '../matrix/ids/user-id.ts';
import { everybodyMayInvite } from '../matrix/invite-permission/invite-permission.ts';
import { isJsonObject, type JsonValue } from '../matrix/json/json-value.ts';
import type { RoomsContext } from '../rooms/context.ts';
import { findForeignDeparture } from '../rooms/foreign-memberships.ts';
import { lastJoinedSpan } from '../rooms/history-visibility.ts';
import { stateRow } from '../rooms/read-state.ts';
import { pduOf } from '../rooms/stored-event.ts';
import { loadVisibility } from '../rooms/visibility.ts';
import type { EventRow } from '../storage/stores/timeline-store.ts';
import { strippedState } from '../storage/stores/membership-store.ts';
import type { SyncPass, SyncRequest } from './sync-request.ts';
import type { RoomStanding } from './sync-user.ts';

/** The same request with a filter that keeps out whom the requester ignores now. */
export function withoutIgnored(ignoredSenders: ReadonlySet<string>, request: SyncRequest): SyncRequest {
  if (ignoredSenders.size === 0) return request;
  const { filter } = request;
  const presence = { ...filter.presence, notSenders: [...(filter.presence.notSenders ?? []), ...ignoredSenders] };
  const timeline = { ...filter.room.timeline, ignoredSenders };
  return { ...request, filter: { ...filter, presence, room: { ...filter.room, timeline } } };
}

/** State is told whoever sent it. */
export function isIgnored(ignored: ReadonlySet<string>, row: EventRow): boolean {
  return ignored.size > 0 && row.skey === null && ignored.has(pduOf(row)['sender'] as string);
}

export function ignoredBy({ request }: SyncPass): ReadonlySet<string> {
  return request.filter.room.timeline.ignoredSenders ?? nobody;
}
const nobody: ReadonlySet<string> = new Set();

export function withoutIgnoredUsers(pass: SyncPass, users: readonly UserId[]): readonly UserId[] {
  const ignored = ignoredBy(pass);
  return ignored.size === 0 ? users : users.filter((userId) => !ignored.has(userId));
}

interface Reader {
  readonly userId: UserId;
  readonly userNid: number;
}

/**
 * Whether an invite, or its end without an answer, comes from somebody ignored or from whom the reader takes no invites, so
 * that the room is not to be shown.
 */
export async function isFromIgnored(
  rooms: RoomsContext,
  reader: Reader,
  ignored: ReadonlySet<string>,
  { room, membership }: RoomStanding,
  now: number,
): Promise<boolean> {
  const permission = await rooms.invitePermissions.of(reader);
  if ((ignored.size === 0 && permission === everybodyMayInvite) || membership === 'knock') return false;
  const sender =
    membership === 'invite' ? await inviterOf(rooms, reader, room) : await removerOf(rooms, reader, room, now);
  if (sender === undefined || sender === reader.userId) return false;
  return ignored.has(sender) || permission.decide(sender) !== 'allow';
}

/** Who invited a user to a room, as they are shown it. */
export async function inviterOf(
  { db }: Pick<RoomsContext, 'db'>,
  { userId, userNid }: Reader,
  room: number,
): Promise<UserId | undefined> {
  const row = await db.one(strippedState, { user: userNid, room });
  const events = JSON.parse(row?.json ?? '[]') as JsonValue;
  for (const event of Array.isArray(events) ? (events as readonly JsonValue[]) : [])
    if (isJsonObject(event) && event['type'] === 'm.room.member' && event['state_key'] === userId)
      return isUserId(event['sender']) ? event['sender'] : undefined;
  return undefined;
}

/** Who ended the membership of somebody who never was in the room. */
async function removerOf(
  rooms: RoomsContext,
  { userId, userNid }: Reader,
  room: number,
  now: number,
): Promise<UserId | undefined> {
  const visibility = await loadVisibility(rooms, room, userId);
  if (lastJoinedSpan(visibility, now) !== undefined) return undefined;
  const dag = await rooms.dags.openByNid(room);
  const foreign = await findForeignDeparture(rooms, dag, userNid);
  if (foreign !== undefined) return foreign.event.sender;
  const row = await stateRow(rooms, dag, now, 'm.room.member', userId);
  return row === undefined ? undefined : (pduOf(row)['sender'] as UserId);
}
