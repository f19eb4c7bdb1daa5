/** https://spec.matrix.org/v1.19/client-server-api/#forming-relationships-between-events */
import { isEventId } from '../ids/event-id.ts';
import { fitsIdentifier } from '../ids/identifier-size.ts';
import type { EventId } from '../ids/ids.ts';
import { isJsonObject, type JsonObject } from '../json/json-value.ts';

/** What the cleartext content of a child event says about its parent. */
export interface Relation {
  readonly relType: string;
  readonly targetId: EventId;
  /** Of annotations: what they annotate with. */
  readonly key: string | undefined;
}

/**
 * The relation of an event to another one; undefined: it has none, or one that does not match the schema. Replies have no
 * `rel_type` and are none. Whether both events are in one room is not known here.
 */
export function relationOf(event: { readonly content: JsonObject }): Relation | undefined {
  const relation = event.content['m.relates_to'];
  if (!isJsonObject(relation)) return undefined;
  const { rel_type: relType, event_id: targetId, key } = relation;
  if (!isRelationType(relType) || !isEventId(targetId)) return undefined;
  return { relType, targetId, key: typeof key === 'string' ? key : undefined };
}

/** How many relations are followed from an event to the thread it belongs to. */
export const threadHopsMax = 3;

/**
 * The root of the thread that an event is in, by its own relation or by those of the events that it relates to; undefined: it
 * is in the main timeline, as roots are, and what relates to them otherwise.
 * `findRelation`: the relation of an earlier event; undefined where it has none or is not known.
 * https://spec.matrix.org/v1.19/client-server-api/#threaded-read-receipts
 */
export function threadRootOf(
  event: { readonly content: JsonObject },
  findRelation: (eventId: EventId) => Relation | undefined,
): EventId | undefined {
  let relation = relationOf(event);
  for (let hops = 1; relation !== undefined && relation.relType !== 'm.thread'; hops++) {
    if (hops === threadHopsMax) return undefined;
    relation = findRelation(relation.targetId);
  }
  return relation?.targetId;
}

/** It becomes part of a key in the database, so that it is as long as other identifiers at most. */
function isRelationType(value: unknown): value is string {
  return typeof value === 'string' && value.isWellFormed() && !value.includes('\0') && fitsIdentifier(value);
}
