/**
 * What readers get of the events of a sender who was erased: whoever could see an event before that goes on seeing it as it was
 * sent, everybody else gets its redacted form. Nothing is redacted for good (docs/decisions/0014-erasure-is-in-the-reading.md).
 * https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3accountdeactivate
 */
import { redact } from '../matrix/events/redact.ts';
import type { UserId } from '../matrix/ids/ids.ts';
import type { JsonObject } from '../matrix/json/json-value.ts';
import type { RoomVersionRules } from '../matrix/room-versions/rules.ts';
import type { EventRow } from '../storage/stores/timeline-store.ts';
import type { RoomsContext } from './context.ts';
import { type VisibilityTimeline, wasVisible } from './history-visibility.ts';
import { pduOf } from './stored-event.ts';

/** Who sent an event, and where it stands; null: it has no place in the timeline. */
export interface Authorship {
  readonly sender: UserId;
  readonly pos: number | null;
}

/** Whether one reader gets an event in its redacted form only. */
export type IsErased = (event: Authorship) => boolean;

/** For the reader to whom the timeline belongs, without a read. */
export function erasedFor(ctx: Pick<RoomsContext, 'erasures'>, timeline: VisibilityTimeline): IsErased {
  return ({ sender, pos }) => {
    const since = ctx.erasures.erasedSince(sender);
    return since !== undefined && (pos === null || !wasVisible(timeline, pos, since));
  };
}

/** For what is the same for all readers. */
export const nothingErased: IsErased = () => false;

/** A stored event, parsed. */
export interface SourceEvent extends Authorship {
  readonly row: EventRow;
  readonly pdu: JsonObject;
}

export function sourceEvent(row: EventRow): SourceEvent {
  const pdu = pduOf(row);
  return { row, pdu, sender: pdu['sender'] as UserId, pos: row.pos };
}

/** The event as the reader gets it. */
export function shownPdu(source: SourceEvent, rules: RoomVersionRules, isErased: IsErased): JsonObject {
  return isErased(source) ? erasedPdu(source.pdu, rules) : source.pdu;
}

/** The event as those get it for whom its sender is erased. */
export function erasedPdu(pdu: JsonObject, rules: RoomVersionRules): JsonObject {
  return isKeptWhole(pdu) ? pdu : redact(pdu, rules);
}

/**
 * State by which a room works and that says nothing of who set it. Without it newcomers would send in the clear, lose the
 * rooms of a space, or the protection of a policy list.
 */
const keptWhole: ReadonlySet<string> = new Set([
  'm.room.encryption',
  'm.room.guest_access',
  'm.room.pinned_events',
  'm.room.policy',
  'm.room.server_acl',
  'm.room.tombstone',
  'm.space.child',
  'm.space.parent',
  'm.policy.rule.room',
  'm.policy.rule.server',
  'm.policy.rule.user',
]);

const isKeptWhole = ({ type, state_key: stateKey }: JsonObject): boolean =>
  typeof type === 'string' && stateKey !== undefined && keptWhole.has(type);
