/**
 * What must be true together with an event: the client's transaction id, who is in the room, what was redacted, who was
 * mentioned, and who is woken. Prepared before the write (it may look things up), applied within its unit.
 */
import type { RoomEvent } from '../matrix/events/room-event.ts';
import type { UserId } from '../matrix/ids/ids.ts';
import { isUserId } from '../matrix/ids/user-id.ts';
import type { UnitBuilder } from '../storage/database.ts';
import {
  countMember,
  dropStrippedState,
  markRead,
  setMember,
  setStrippedState,
  uncountMember,
  updateUserRoomEvent,
  upsertUserRoom,
} from '../storage/stores/membership-store.ts';
import { insertMention } from '../storage/stores/mention-store.ts';
import { insertRelation } from '../storage/stores/relation-store.ts';
import { insertTransaction } from '../storage/stores/txn-store.ts';
import { type ClientTransaction, type RoomsContext, serverOf } from './context.ts';
import type { Placed, RoomDag, StateChange } from './dag/contract.ts';
import { strippedStateFor } from './stripped-state.ts';
import { mentionsIn } from './mentions.ts';
import { redactStored, redactionOf } from './redaction.ts';

declare module '../storage/database.ts' {
  interface WakeKinds {
    /** An event took its place in a room's timeline. */
    event: TimelineEntry;
    /** A local user's membership changed; `previous` undefined: they had none. */
    membership: { room: number; userNid: number; membership: string; previous: string | undefined; pos: number };
  }
}

export interface EffectsRequest {
  readonly transaction?: ClientTransaction | undefined;
}
export type Effects = (unit: UnitBuilder, placed: Placed) => void;

export async function prepareEffects(
  ctx: RoomsContext,
  dag: RoomDag,
  event: RoomEvent,
  request: EffectsRequest,
): Promise<Effects> {
  const senderNid = await ctx.names.userNid(event.sender);
  const senderIsLocal = ctx.localServers.isLocal(serverOf(event.sender));
  const member = await memberChange(ctx, dag, event);
  const redaction = await redactionOf(ctx, dag, event);
  const mentions = await mentionsIn(ctx, dag, event);
  const relation = relationOf(event);
  return (unit, placed) => {
    const { nid, ord } = placed;
    if (request.transaction !== undefined) {
      const { deviceNid: device, path, txnId: txn } = request.transaction;
      unit.run(insertTransaction, { device, path, txn, nid, ts: ctx.clock.nowMs() });
    }
    if (ord === null) return;
    if (member !== undefined && placed.stateChanges.some((change) => isMember(change, member.userId)))
      applyMemberChange(unit, dag.room, member, placed, ord);
    // Sending is reading: what came before one's own event is read.
    if (senderIsLocal && event.stateKey === undefined)
      unit.run(markRead, { user: senderNid, room: dag.room, readOrd: ord, notifyRead: placed.notifySeq });
    if (redaction !== undefined) redactStored(unit, redaction, nid);
    if (relation !== undefined) unit.run(insertRelation, { ...relation, nid, room: dag.room });
    for (const mention of mentions) unit.run(insertMention, { ...mention, room: dag.room, ord });
    const mentioned = mentions.map((mention) => mention.user);
    unit.wake({ kind: 'event', ...timelineEntry(event, senderNid, placed, ord, mentioned, request.transaction) });
  };
}

/** What those who follow the stream are told of a new event, so that they need not read it back. */
export interface TimelineEntry {
  readonly room: number;
  readonly nid: number;
  readonly pos: number;
  readonly ord: number;
  readonly notifySeq: number;
  readonly senderNid: number;
  readonly event: RoomEvent;
  /** With which its sender's device made it. */
  readonly transaction: ClientTransaction | undefined;
  /** Local users for whom it counts otherwise than for everybody; `everybody` stands for all. */
  readonly mentioned: readonly number[];
  /** The current state changed in more than the event's own key. */
  readonly otherStateChanged: boolean;
}

/** The wake for an event that was placed. */
export function timelineEntry(
  event: RoomEvent,
  senderNid: number,
  placed: Placed,
  ord: number,
  mentioned: readonly number[] = [],
  transaction?: ClientTransaction,
): TimelineEntry {
  const { room, nid, pos, notifySeq, stateChanges } = placed;
  const otherStateChanged = stateChanges.some((change) => change.event?.nid !== nid);
  return { room, nid, pos, ord, notifySeq, senderNid, event, transaction, mentioned, otherStateChanged };
}

interface MemberChange {
  readonly userId: UserId;
  readonly userNid: number;
  readonly serverNid: number;
  readonly isLocal: boolean;
  readonly membership: string;
  readonly previous: string | undefined;
  /** For a local user who is invited or knocks: the stripped state that they are shown. */
  readonly stripped: string | undefined;
}

async function memberChange(ctx: RoomsContext, dag: RoomDag, event: RoomEvent): Promise<MemberChange | undefined> {
  if (event.type !== 'm.room.member' || event.stateKey === undefined || !isUserId(event.stateKey)) return undefined;
  const userId = event.stateKey;
  const isLocal = ctx.localServers.isLocal(serverOf(userId));
  const membership = String(event.content['membership']);
  const before = await dag.currentEvent('m.room.member', userId);
  const previous = before?.content['membership'];
  return {
    userId,
    userNid: await ctx.names.userNid(userId),
    serverNid: await ctx.names.serverNid(serverOf(userId)),
    isLocal,
    membership,
    previous: typeof previous === 'string' ? previous : undefined,
    stripped:
      isLocal && (membership === 'invite' || membership === 'knock')
        ? JSON.stringify(await strippedStateFor(dag, event))
        : undefined,
  };
}

const isMember = (change: StateChange, userId: UserId): boolean =>
  change.type === 'm.room.member' && change.stateKey === userId;

function applyMemberChange(unit: UnitBuilder, room: number, member: MemberChange, placed: Placed, ord: number): void {
  const { userNid: user, serverNid: server, membership, previous } = member;
  unit.run(uncountMember, { user, room, server });
  unit.run(setMember, { user, room, membership });
  if (membership === 'join') unit.run(countMember, { room, server });
  if (!member.isLocal) return;
  const { nid: event, pos } = placed;
  if (membership === previous) unit.run(updateUserRoomEvent, { user, room, event });
  else unit.run(upsertUserRoom, { user, room, membership, event, pos, readOrd: ord, notifyRead: placed.notifySeq });
  if (member.stripped !== undefined) unit.run(setStrippedState, { user, room, json: member.stripped });
  else if (previous === 'invite' || previous === 'knock') unit.run(dropStrippedState, { user, room });
  unit.wake({ kind: 'membership', room, userNid: user, membership, previous, pos });
}

/** https://spec.matrix.org/v1.19/client-server-api/#forming-relationships-between-events */
function relationOf(event: RoomEvent): { targetId: string; relType: string } | undefined {
  const relation = event.content['m.relates_to'];
  if (typeof relation !== 'object' || relation === null || Array.isArray(relation)) return undefined;
  const { rel_type: relType, event_id: targetId } = relation as Record<string, unknown>;
  if (typeof relType !== 'string' || typeof targetId !== 'string') return undefined;
  return { targetId, relType };
}
