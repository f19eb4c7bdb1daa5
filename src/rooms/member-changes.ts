/**
 * What a changed membership writes beside the event: who is in the room, how many of each server, and for users of this
 * server how they stand to it. It follows the current state, not the event: where two branches of a room meet, memberships
 * change without an event of their own.
 */
import type { RoomEvent } from '../matrix/events/room-event.ts';
import type { UserId } from '../matrix/ids/ids.ts';
import { isUserId } from '../matrix/ids/user-id.ts';
import type { UnitBuilder } from '../storage/database.ts';
import {
  countMember,
  dropStrippedState,
  setMember,
  setStrippedState,
  uncountMember,
  updateUserRoomEvent,
  userRoom,
  upsertUserRoom,
} from '../storage/stores/membership-store.ts';
import { type RoomsContext, serverOf } from './context.ts';
import type { Placed, RoomDag, StateChange } from './dag/contract.ts';
import { firstOrdAfter } from './pagination-token.ts';
import { strippedStateFor } from './stripped-state.ts';

declare module '../storage/database.ts' {
  interface WakeKinds {
    membership: MembershipWake;
    /** A remote user has come, gone, or changed otherwise. */
    'remote-membership': MembershipWake & { readonly serverNid: number };
  }
}

/** A user's membership changed; `previous` undefined: they had none. */
export interface MembershipWake {
  readonly room: number;
  readonly userNid: number;
  readonly userId: UserId;
  readonly membership: string;
  readonly previous: string | undefined;
  readonly pos: number;
}

export interface MemberChange {
  readonly userId: UserId;
  readonly userNid: number;
  readonly serverNid: number;
  readonly isLocal: boolean;
  readonly membership: string;
  readonly previous: string | undefined;
  readonly eventNid: number;
  /** For a local user who is invited or knocks: the stripped state that they are shown. */
  readonly stripped: string | undefined;
}

/** To be called before the changes are written: the current state is still the one before. */
export async function memberChangesOf(
  ctx: RoomsContext,
  dag: RoomDag,
  changes: readonly StateChange[],
  { isEntering = false }: { readonly isEntering?: boolean } = {},
): Promise<MemberChange[]> {
  const changed = changes.flatMap(({ type, stateKey, event, previousNid }) =>
    type === 'm.room.member' && isUserId(stateKey) ? [{ userId: stateKey, event, isNew: previousNid === null }] : [],
  );
  const userIds = changed.map(({ userId }) => userId);
  const [userNids, serverNids] = await Promise.all([
    ctx.names.userNids(userIds),
    ctx.names.serverNids(userIds.map(serverOf)),
  ]);
  const members: MemberChange[] = [];
  for (const [index, { userId, event, isNew }] of changed.entries()) {
    const nids = { userNid: userNids[index]!, serverNid: serverNids[index]! };
    const before = isNew ? undefined : await dag.currentEvent('m.room.member', userId);
    const member = await memberChange(ctx, dag, { userId, ...nids, event, before });
    members.push(isEntering && member.isLocal ? await fromOutside(ctx, dag, member) : member);
  }
  return members;
}

/** Of one of several users, as they are at first. */
interface ChangedMember {
  readonly userId: UserId;
  readonly userNid: number;
  readonly serverNid: number;
  readonly event: StateChange['event'];
  readonly before: RoomEvent | undefined;
}

/** Of a room that nobody of ours was in, this server knows what became of its users better than the room's graph does. */
async function fromOutside(ctx: RoomsContext, { room }: RoomDag, member: MemberChange): Promise<MemberChange> {
  const standing = await ctx.db.one(userRoom, { user: member.userNid, room });
  return { ...member, previous: standing?.membership };
}

async function memberChange(
  ctx: RoomsContext,
  dag: RoomDag,
  { userId, userNid, serverNid, event: after, before }: ChangedMember,
): Promise<MemberChange> {
  const isLocal = ctx.localServers.isLocal(serverOf(userId));
  // A key that went away leaves the user as somebody who is not in the room.
  const membership = membershipOf(after?.event) ?? 'leave';
  const isShown = isLocal && (membership === 'invite' || membership === 'knock');
  return {
    userId,
    userNid,
    serverNid,
    isLocal,
    membership,
    previous: membershipOf(before),
    eventNid: after?.nid ?? 0,
    stripped: isShown && after !== null ? JSON.stringify(await strippedStateFor(ctx, dag, after.event)) : undefined,
  };
}

/** Where a membership begins. */
export type StandingPlace = Pick<Placed, 'room' | 'pos' | 'ord' | 'notifySeq'>;

export function applyMemberChange(unit: UnitBuilder, member: MemberChange, placed: StandingPlace): void {
  const { userNid: user, userId, serverNid: server, membership, previous } = member;
  const { room, pos } = placed;
  if (membership !== previous) {
    unit.run(uncountMember, { user, room, server });
    unit.run(setMember, { user, room, membership });
    if (membership === 'join') unit.run(countMember, { room, server });
  }
  if (!member.isLocal) {
    if (membership === previous) return;
    unit.wake({ kind: 'remote-membership', room, userNid: user, userId, serverNid: server, membership, previous, pos });
    return;
  }
  writeStanding(unit, member, placed);
  if (member.stripped !== undefined) unit.run(setStrippedState, { user, room, json: member.stripped });
  else if (previous === 'invite' || previous === 'knock') unit.run(dropStrippedState, { user, room });
  unit.wake({ kind: 'membership', room, userNid: user, userId, membership, previous, pos });
}

/** Whether the user is to be told of it as of something new: a second invite or knock is, a changed profile is not. */
export function isNewStanding({ membership, previous }: Pick<MembershipWake, 'membership' | 'previous'>): boolean {
  return membership !== previous || membership === 'invite' || membership === 'knock';
}

function writeStanding(unit: UnitBuilder, member: MemberChange, { room, pos, ord, notifySeq }: StandingPlace): void {
  const { userNid: user, membership, eventNid: event } = member;
  if (!isNewStanding(member)) unit.run(updateUserRoomEvent, { user, room, event });
  else {
    const readOrd = ord ?? firstOrdAfter(pos - 1);
    unit.run(upsertUserRoom, { user, room, membership, event, pos, readOrd, notifyRead: notifySeq });
  }
}

function membershipOf(event: RoomEvent | undefined): string | undefined {
  const membership = event?.content['membership'];
  return typeof membership === 'string' ? membership : undefined;
}
