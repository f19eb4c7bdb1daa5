/**
 * What must be true together with an event: the client's transaction id, who is in the room, what was redacted, who was
 * mentioned, and who is woken. Prepared before the write (it may look things up), applied within its unit.
 */
import { defaultRulesNotify } from '../matrix/push-rules/default-notify.ts';
import { relationOf } from '../matrix/events/relations.ts';
import type { RoomEvent } from '../matrix/events/room-event.ts';
import { stickyUntil } from '../matrix/events/sticky.ts';
import type { EventId } from '../matrix/ids/ids.ts';
import type { UnitBuilder } from '../storage/database.ts';
import { markRead } from '../storage/stores/membership-store.ts';
import { type MentionRow, insertMention } from '../storage/stores/mention-store.ts';
import { deleteExpiredStickyEvents, insertStickyEvent } from '../storage/stores/sticky-event-store.ts';
import { insertThreadEvent } from '../storage/stores/thread-event-store.ts';
import { insertTransaction } from '../storage/stores/txn-store.ts';
import { insertWaitingRedaction } from '../storage/stores/waiting-redaction-store.ts';
import { type ClientTransaction, type RoomsContext, serverOf } from './context.ts';
import type { Placed, ReceiveOptions, RoomDag } from './dag/contract.ts';
import { mayCloseToGuests } from './guest-access.ts';
import { type MemberChange, applyMemberChange, memberChangesOf } from './member-changes.ts';
import { openingOf, writeOpening } from './open-rooms.ts';
import { everybody, mentionsIn } from './mentions.ts';
import { ancestryFrom, mainThread } from './threads.ts';
import { type Redaction, redactStored, redactionOf, tellRedaction } from './redaction.ts';
import { annotationKey, annotationOf } from './relations/check-relation.ts';
import { type RelationDraft, draftRelation, writeRelation } from './relations/write-relation.ts';

declare module '../storage/database.ts' {
  interface WakeKinds {
    /** An event took its place in a room's timeline. */
    event: TimelineEntry;
    /** One that was fetched took its place there, where others stand already: nobody is told of it as of something new. */
    history: HistoryEntry;
  }
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
  /** Local users whose counts it moves otherwise than everybody's; `everybody` stands for all. */
  readonly mentioned: readonly number[];
  /** The current state changed in more than the event's own key. */
  readonly otherStateChanged: boolean;
  /** It refers to parents that were not known here when it came. */
  readonly isAfterGap: boolean;
  readonly thread: ThreadPlace;
  /** Bits of `event.flags`. */
  readonly marks: number;
}

export type HistoryEntry = Pick<TimelineEntry, 'room' | 'nid' | 'pos' | 'ord' | 'senderNid' | 'event'>;

/** Where an event stands among the threads of its room. */
export interface ThreadPlace {
  /** The thread root's event id, or `mainThread`. */
  readonly threadId: string;
  /** The default push rules notify for the event. */
  readonly counted: boolean;
}

export interface EffectsRequest {
  readonly transaction?: ClientTransaction | undefined;
  /** Nobody sent it: it says nothing of what its sender has read. */
  readonly isAutomatic?: boolean | undefined;
  /** It was fetched: it counts for nobody. */
  readonly isHistory?: boolean | undefined;
  /** As it was before it was redacted: what it redacts itself stays so, whichever of the two came first. */
  readonly asSent?: RoomEvent | undefined;
  /** Bits of `event.flags`. */
  readonly marks?: number | undefined;
  /** As in ReceiveOptions. */
  readonly isEntering?: boolean | undefined;
}
export interface Effects {
  /** For `RoomDag.receive`. */
  readonly options: Required<Pick<ReceiveOptions, 'notifies' | 'prepare' | 'also'>>;
  /** To be called once the unit is handed in. */
  handedIn(placed: Placed): void;
}

/** To be called with the room's lock held, for an event that is about to be received. */
export async function prepareEffects(
  ctx: RoomsContext,
  dag: RoomDag,
  event: RoomEvent,
  request: EffectsRequest,
): Promise<Effects> {
  const senderIsLocal = ctx.localServers.isLocal(serverOf(event.sender));
  const lineage = await ctx.relations.lineageOf(dag.room, event);
  const { threadId } = ancestryFrom(event, lineage);
  const isHistory = request.isHistory === true;
  const redaction = await redactionOf(ctx, dag, request.asSent ?? event);
  const lasting: LastingEffects = {
    event,
    notifies: !isHistory && defaultRulesNotify(event),
    isHistory,
    senderNid: await ctx.names.userNid(event.sender),
    isSent: senderIsLocal && request.isAutomatic !== true && !isHistory,
    redaction: redaction !== undefined && 'target' in redaction ? redaction : undefined,
    awaited: redaction !== undefined && 'awaited' in redaction ? redaction.awaited : undefined,
    threadId,
    mentions: isHistory ? [] : await mentionsIn(ctx, dag, event, threadId),
    relation: draftRelation(event, lineage, { isLocal: senderIsLocal }),
    transaction: request.transaction,
    marks: request.marks ?? 0,
    sticky: stickyAt(event, ctx.clock.nowMs()),
  };
  let members: readonly MemberChange[] = [];
  let opening: boolean | undefined;
  let guestAccessChanged = false;
  return {
    options: {
      notifies: lasting.notifies,
      async prepare({ stateChanges }) {
        members = await memberChangesOf(ctx, dag, stateChanges, { isEntering: request.isEntering === true });
        opening = await openingOf(dag, stateChanges);
        guestAccessChanged = mayCloseToGuests(stateChanges, lasting.redaction?.target.event);
      },
      also(unit, placed) {
        if (request.transaction !== undefined) {
          const { deviceNid: device, path, txnId: txn } = request.transaction;
          unit.run(insertTransaction, { device, path, txn, nid: placed.nid, ts: ctx.clock.nowMs() });
        }
        for (const member of members) applyMemberChange(unit, member, placed);
        if (opening !== undefined) writeOpening(unit, placed.room, opening);
        if (guestAccessChanged) unit.wake({ kind: 'guest-access', room: placed.room });
        if (placed.ord !== null) applyVisible(unit, lasting, placed, placed.ord);
      },
    },
    handedIn(placed) {
      tellRelation(ctx, lasting, placed);
      const { redaction, awaited } = lasting;
      if (awaited !== undefined) ctx.waitingRedactions.add(placed.room, awaited);
      if (redaction === undefined) return;
      tellRedaction(ctx, dag, redaction, placed.ticket);
    },
  };
}

interface LastingEffects {
  readonly event: RoomEvent;
  /** The default push rules count it for everybody. */
  readonly notifies: boolean;
  readonly isHistory: boolean;
  readonly senderNid: number;
  /** By a person here. */
  readonly isSent: boolean;
  readonly redaction: Redaction | undefined;
  /** What it redacts is not known here. */
  readonly awaited: EventId | undefined;
  readonly threadId: string;
  readonly mentions: readonly MentionRow[];
  readonly relation: RelationDraft | undefined;
  readonly transaction: ClientTransaction | undefined;
  readonly marks: number;
  readonly sticky: Sticky | undefined;
}

/** In milliseconds since the Unix epoch. */
interface Sticky {
  readonly untilTs: number;
  readonly nowMs: number;
}
function stickyAt({ pdu }: RoomEvent, nowMs: number): Sticky | undefined {
  const untilTs = stickyUntil(pdu, nowMs);
  return untilTs === undefined || untilTs <= nowMs ? undefined : { untilTs, nowMs };
}

/** For what relates to the event before it is on disk. */
function tellRelation(ctx: RoomsContext, { event, senderNid }: LastingEffects, { room, ticket }: Placed): void {
  const relation = relationOf(event);
  ctx.relations.tell(event.eventId, { room, relation });
  const annotation = relation && annotationOf(room, senderNid, event, relation);
  if (annotation !== undefined && ticket !== undefined)
    ctx.relations.annotating(annotationKey(annotation), ticket.committed);
}

function applyVisible(unit: UnitBuilder, effects: LastingEffects, placed: Placed, ord: number): void {
  const { event, senderNid, redaction, relation, mentions } = effects;
  const { room, nid, notifySeq } = placed;
  // Sending is reading: what came before one's own event is read. A changed topic or profile is not sending, unless it
  // would count for the sender too.
  if (effects.isSent && (event.stateKey === undefined || effects.notifies || mentions.length > 0))
    unit.run(markRead, { user: senderNid, room, readOrd: ord, notifyRead: notifySeq });
  if (redaction !== undefined) redactStored(unit, redaction, nid);
  if (effects.awaited !== undefined) unit.run(insertWaitingRedaction, { room, targetId: effects.awaited, nid });
  if (relation !== undefined) writeRelation(unit, relation, event, senderNid, placed, ord);
  const thread: ThreadPlace = { threadId: effects.threadId, counted: effects.notifies };
  if (thread.threadId !== mainThread)
    unit.run(insertThreadEvent, { room, ord, root: thread.threadId, counted: thread.counted ? 1 : 0 });
  if (effects.sticky !== undefined) {
    unit.run(deleteExpiredStickyEvents, { now: effects.sticky.nowMs });
    unit.run(insertStickyEvent, { room, pos: placed.pos, nid, expiresTs: effects.sticky.untilTs });
  }
  for (const mention of mentions) unit.run(insertMention, { ...mention, room, ord });
  if (effects.isHistory) {
    unit.wake({ kind: 'history', room, nid, pos: placed.pos, ord, senderNid, event });
    return;
  }
  const mentioned = mentions.map((mention) => mention.user);
  if (redaction?.movesCounts === true) mentioned.push(everybody);
  const entry = timelineEntry(event, senderNid, placed, ord, thread, mentioned, effects);
  unit.wake({ kind: 'event', ...entry });
}

/** The wake for an event that was placed. */
export function timelineEntry(
  event: RoomEvent,
  senderNid: number,
  placed: Placed,
  ord: number,
  thread: ThreadPlace,
  mentioned: readonly number[] = [],
  { transaction, marks = 0 }: Pick<EffectsRequest, 'transaction' | 'marks'> = {},
): TimelineEntry {
  const { room, nid, pos, notifySeq, stateChanges, isAfterGap = false } = placed;
  const otherStateChanged = stateChanges.some((change) => change.event?.nid !== nid);
  return {
    room,
    nid,
    pos,
    ord,
    notifySeq,
    senderNid,
    event,
    transaction,
    mentioned,
    otherStateChanged,
    isAfterGap,
    thread,
    marks,
  };
}
