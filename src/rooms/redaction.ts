/**
 * What a redaction does to the event that it names. https://spec.matrix.org/v1.19/client-server-api/#redactions
 *
 * The redacted form replaces the stored one in the same unit: nothing of what was taken away stays in the database.
 */
import { forbidden } from '../matrix/errors.ts';
import { canonicalJsonOf } from '../matrix/json/canonical-json.ts';
import { redact } from '../matrix/events/redact.ts';
import type { RoomEvent } from '../matrix/events/room-event.ts';
import { roomEventFromPdu } from '../matrix/events/room-event-from-pdu.ts';
import { namedPowerLevel, powerLevelOf } from '../matrix/event-auth/power-levels.ts';
import type { EventId, UserId } from '../matrix/ids/ids.ts';
import { defaultRulesNotify } from '../matrix/push-rules/default-notify.ts';
import { encodeEventBody } from '../storage/event-body.ts';
import type { UnitBuilder, UnitTicket } from '../storage/database.ts';
import { EventFlag } from '../storage/event-flags.ts';
import { deleteMentions, insertMention } from '../storage/stores/mention-store.ts';
import { markRedacted, replaceBody } from '../storage/stores/timeline-store.ts';
import { type RoomsContext, serverOf } from './context.ts';
import type { RoomDag } from './dag/contract.ts';
import { everybody, mayDeviate, mentionedUsers } from './mentions.ts';
import { removeRelation } from './relations/write-relation.ts';
import { mainThread, storedAncestry } from './threads.ts';
import { type StoredEvent, exactPduOf, findStoredEvent } from './stored-event.ts';

declare module '../storage/database.ts' {
  interface WakeKinds {
    /** The stored form of an event changed; whoever keeps a copy drops it. */
    redaction: { room: number; nid: number; redacted: RoomEvent };
  }
}

export interface Redaction {
  readonly target: StoredEvent;
  readonly redacted: RoomEvent;
  readonly redactedBody: string;
  /** Whether somebody's unread counts may change. */
  readonly movesCounts: boolean;
  /** The default push rules had counted it for everybody. */
  readonly wasCounted: boolean;
  /** The thread in which it had been counted. */
  readonly threadId: string;
  /** Who may have a row of their own for it. */
  readonly mentioned: readonly number[];
}

/** A redaction came before what it redacts. */
export interface AwaitedTarget {
  readonly awaited: EventId;
}

/**
 * The redaction that an accepted `m.room.redaction` carries out; undefined where it has no effect: its target is in another room
 * or redacted already, or the sender may redact neither by power level nor as a user of the target's server.
 */
export async function redactionOf(
  ctx: RoomsContext,
  dag: RoomDag,
  event: RoomEvent,
): Promise<Redaction | AwaitedTarget | undefined> {
  if (event.type !== 'm.room.redaction' || event.redacts === undefined) return undefined;
  const target = await findOnDisk(ctx, event.redacts);
  if (target === undefined) return { awaited: event.redacts };
  if (target.header.room !== dag.room || target.header.redacted_by !== null) return undefined;
  if (!(await mayRedact(ctx, dag, event, target.event.sender))) return undefined;
  const pdu = redact(exactPduOf(target.header), dag.rules);
  const isInTimeline = target.header.ord !== null;
  const mentioned = isInTimeline ? await mentionedUsers(ctx, target.event) : [];
  const wasCounted = isInTimeline && defaultRulesNotify(target.event);
  return {
    target,
    redacted: roomEventFromPdu(pdu, dag.rules, target.event.eventId),
    redactedBody: canonicalJsonOf(dag.rules)(pdu),
    movesCounts: isInTimeline && (wasCounted || mayDeviate(target.event)),
    wasCounted,
    threadId: wasCounted ? (await storedAncestry(ctx, target.header)).threadId : mainThread,
    mentioned,
  };
}

/** Throws M_FORBIDDEN when the user may not redact this event. undefined: it is not known here whose it is. */
export async function assertMayRedact(dag: RoomDag, userId: UserId, target: RoomEvent | undefined): Promise<void> {
  if (userId === target?.sender) return;
  if (await hasRedactLevel(dag, userId, await dag.currentEvent('m.room.power_levels', ''))) return;
  throw forbidden('You do not have permission to redact this event');
}

async function findOnDisk(ctx: RoomsContext, eventId: EventId): Promise<StoredEvent | undefined> {
  const found = await findStoredEvent(ctx, eventId);
  if (found !== undefined) return found;
  // What came together with it is perhaps still on its way to disk.
  await ctx.db.drained();
  return findStoredEvent(ctx, eventId);
}

/**
 * Whether a redaction that was accepted takes effect on what this user sent: by the power levels that the redaction cites. They are the
 * same on every server, whatever came before or after (docs/decisions/0035-which-redactions-take-effect.md).
 * https://spec.matrix.org/v1.19/rooms/v12/#handling-redactions
 */
export async function mayRedact(
  ctx: RoomsContext,
  dag: RoomDag,
  redaction: Pick<RoomEvent, 'sender' | 'authEvents'>,
  targetSender: UserId,
): Promise<boolean> {
  // There the authorisation rules have decided.
  if (dag.rules.eventAuth.specialCaseRedaction) return true;
  const { sender } = redaction;
  if (serverOf(sender) === serverOf(targetSender)) return true;
  return hasRedactLevel(dag, sender, await citedPowerLevels(ctx, dag, redaction));
}

async function hasRedactLevel(dag: RoomDag, userId: UserId, powerLevels: RoomEvent | undefined): Promise<boolean> {
  const create = await dag.currentEvent('m.room.create', '');
  return powerLevelOf(userId, create, powerLevels, dag.rules) >= namedPowerLevel('redact', powerLevels, dag.rules);
}

async function citedPowerLevels(
  ctx: RoomsContext,
  dag: RoomDag,
  { authEvents }: Pick<RoomEvent, 'authEvents'>,
): Promise<RoomEvent | undefined> {
  const current = await dag.currentEvent('m.room.power_levels', '');
  if (current !== undefined && authEvents.includes(current.eventId)) return current;
  for (const eventId of authEvents) {
    const cited = dag.unwritten(eventId) ?? (await findOnDisk(ctx, eventId))?.event;
    if (cited?.type === 'm.room.power_levels' && cited.stateKey === '') return cited;
  }
  return undefined;
}

export function redactStored(unit: UnitBuilder, redaction: Redaction, redactedBy: number): void {
  const { nid, room, ord, flags } = redaction.target.header;
  unit.run(replaceBody, { nid, body: encodeEventBody(redaction.redactedBody) });
  unit.run(markRedacted, { nid, flags: flags | EventFlag.redacted, redactedBy });
  if (ord !== null) removeRelation(unit, room, ord, redaction.target.event);
  if (ord !== null && redaction.movesCounts) uncount(unit, redaction, room, ord);
  unit.wake({ kind: 'redaction', room, nid, redacted: redaction.redacted });
}

/** Once the unit is handed in: memory follows. */
export function tellRedaction(
  ctx: RoomsContext,
  dag: RoomDag,
  { target, redacted }: Redaction,
  ticket: UnitTicket | undefined,
): void {
  const { header, event: before } = target;
  dag.bodyReplaced(header.nid, redacted);
  ctx.relations.tell(before.eventId, { room: header.room, relation: undefined });
  // The sender hears of a failure; here it only takes back what memory was told.
  ticket?.committed.catch(() => {
    dag.bodyReplaced(header.nid, before);
    ctx.relations.forget(before.eventId);
  });
}

/** Nobody is notified of what they cannot read any more (docs/decisions: unread counts). */
function uncount(unit: UnitBuilder, redaction: Redaction, room: number, ord: number): void {
  unit.run(deleteMentions, { users: [everybody, ...redaction.mentioned], room, ord });
  if (redaction.wasCounted)
    unit.run(insertMention, { user: everybody, room, ord, thread: redaction.threadId, notify: -1, highlight: 0 });
}
