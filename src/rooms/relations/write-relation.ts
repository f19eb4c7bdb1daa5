/** The rows by which an event is found from what it relates to: written with it, and gone when it is redacted. */
import { relationVariant } from '../../matrix/events/relation-variant.ts';
import { type Relation, relationOf } from '../../matrix/events/relations.ts';
import type { RoomEvent } from '../../matrix/events/room-event.ts';
import type { UnitBuilder } from '../../storage/database.ts';
import {
  adoptChildren,
  adoptGrandchildren,
  deleteRelation,
  insertRelation,
} from '../../storage/stores/relation-store.ts';
import { addToThread, dropEmptyThread, takeFromThread } from '../../storage/stores/thread-store.ts';
import type { Placed } from '../dag/contract.ts';

/** An event's relation as it will be written. */
export interface RelationDraft extends Relation {
  readonly variant: string;
  readonly target2Id: string | null;
  readonly target3Id: string | null;
  /** Its target may be the root of a thread: it relates to nothing itself, as far as it is known here. */
  readonly isInThread: boolean;
  /** Others may have related to the event before it came. */
  readonly mayHaveChildren: boolean;
}

/** `lineage`: as KnownRelations has it. undefined: the event relates to nothing, or to an event of another room. */
export function draftRelation(
  event: RoomEvent,
  lineage: readonly Relation[],
  options: { readonly isLocal: boolean },
): RelationDraft | undefined {
  const [own, target, target2] = lineage;
  if (own === undefined) return undefined;
  return {
    ...own,
    variant: relationVariant(event, own),
    target2Id: target?.targetId ?? null,
    target3Id: target2?.targetId ?? null,
    isInThread: own.relType === 'm.thread' && target === undefined,
    mayHaveChildren: !options.isLocal,
  };
}

export function writeRelation(
  unit: UnitBuilder,
  draft: RelationDraft,
  event: RoomEvent,
  senderNid: number,
  { room, nid }: Placed,
  ord: number,
): void {
  const { targetId, relType, variant, target2Id, target3Id } = draft;
  const { eventId, originServerTs: ts } = event;
  const row = { room, targetId, relType, ord, nid, eventId, sender: senderNid, ts, variant, target2Id, target3Id };
  unit.run(insertRelation, row);
  if (draft.isInThread) unit.run(addToThread, { room, rootId: targetId, ord });
  if (!draft.mayHaveChildren) return;
  unit.run(adoptChildren, { room, eventId, targetId, target2Id });
  unit.run(adoptGrandchildren, { room, eventId, targetId });
}

/** A redacted event relates to nothing any more. https://spec.matrix.org/v1.19/client-server-api/#aggregations-of-child-events */
export function removeRelation(unit: UnitBuilder, room: number, ord: number, event: RoomEvent): void {
  const relation = relationOf(event);
  if (relation === undefined) return;
  const { targetId, relType } = relation;
  unit.run(deleteRelation, { room, targetId, relType, ord });
  if (relType !== 'm.thread') return;
  unit.run(takeFromThread, { room, rootId: targetId });
  unit.run(dropEmptyThread, { room, rootId: targetId });
}
