/** Which thread an event belongs to. https://spec.matrix.org/v1.19/client-server-api/#threaded-read-receipts */
import { type Relation, threadRootOf } from '../matrix/events/relations.ts';
import type { EventId } from '../matrix/ids/ids.ts';
import type { JsonObject } from '../matrix/json/json-value.ts';
import { threadAt } from '../storage/stores/thread-event-store.ts';
import type { EventRow } from '../storage/stores/timeline-store.ts';
import type { RoomsContext } from './context.ts';
import { pduOf } from './stored-event.ts';

/** Stands for all events that are in no thread. */
export const mainThread = 'main';

/** How an event stands to the events before it. */
export interface Ancestry {
  /** The thread root's event id, or `mainThread`. */
  readonly threadId: string;
  /** What it relates to, what that relates to, and so on. */
  readonly ancestors: readonly EventId[];
}

/** `lineage`: the event's relations within the room, as KnownRelations has them. */
export function ancestryFrom(event: { readonly content: JsonObject }, lineage: readonly Relation[]): Ancestry {
  if (lineage.length === 0) return { threadId: mainThread, ancestors: [] };
  const above = new Map<EventId, Relation>();
  for (const [index, { targetId }] of lineage.entries()) {
    const next = lineage[index + 1];
    if (next !== undefined && !above.has(targetId)) above.set(targetId, next);
  }
  const thread = lineage.findIndex(({ relType }) => relType === 'm.thread');
  const ancestors = (thread < 0 ? lineage : lineage.slice(0, thread + 1)).map(({ targetId }) => targetId);
  return { threadId: threadRootOf(event, (eventId) => above.get(eventId)) ?? mainThread, ancestors };
}

/**
 * Of an event of the room's timeline. It stays in its thread when it is redacted, or what leads to the root is, although
 * contents say so no longer.
 */
export async function storedAncestry(ctx: RoomsContext, row: EventRow): Promise<Ancestry> {
  const event = { content: contentOf(row) };
  const ancestry = ancestryFrom(event, await ctx.relations.lineageOf(row.room, event));
  const mayBeInThread = row.redacted_by !== null || ancestry.ancestors.length > 0;
  if (!mayBeInThread || row.ord === null) return ancestry;
  const { room, ord } = row;
  return { ...ancestry, threadId: (await ctx.db.one(threadAt, { room, ord }))?.root ?? mainThread };
}

const contentOf = (row: EventRow): JsonObject => pduOf(row)['content'] as JsonObject;
