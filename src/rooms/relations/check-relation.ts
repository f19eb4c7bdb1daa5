/** What clients may not relate to what. */
import { relationVariant } from '../../matrix/events/relation-variant.ts';
import { type Relation, relationOf } from '../../matrix/events/relations.ts';
import { MatrixError } from '../../matrix/errors.ts';
import { findAnnotation } from '../../storage/stores/relation-store.ts';
import type { EventDraft } from '../build-event.ts';
import type { Actor, RoomsContext } from '../context.ts';
import type { RoomDag } from '../dag/contract.ts';
import { assertJoined } from '../membership.ts';

/**
 * To be called with the room's lock held. Throws 400 M_UNKNOWN for a thread whose root relates to another event itself
 * (https://spec.matrix.org/v1.19/client-server-api/#validation-of-mthread-relationships), 400 M_DUPLICATE_ANNOTATION for what
 * the sender has annotated already (https://spec.matrix.org/v1.19/client-server-api/#avoiding-duplicate-annotations), and
 * M_FORBIDDEN before either when the sender is not in the room.
 */
export async function checkRelation(ctx: RoomsContext, dag: RoomDag, actor: Actor, draft: EventDraft): Promise<void> {
  const relation = relationOf(draft);
  if (relation?.relType !== 'm.thread' && relation?.relType !== 'm.annotation') return;
  await assertJoined(dag, actor.userId);
  if (relation.relType === 'm.thread') return checkThread(ctx, dag, relation);
  const annotation = annotationOf(dag.room, actor.userNid, draft, relation);
  if (annotation === undefined || !(await isAnnotated(ctx, annotation))) return;
  // A redaction of the first one may still be on its way to disk.
  await ctx.db.drained();
  if (await isAnnotated(ctx, annotation))
    throw new MatrixError(400, 'M_DUPLICATE_ANNOTATION', 'You have annotated this event with the same key already');
}

/** What two annotations have in common that may not both be there. undefined: it says nothing. */
export interface Annotation {
  readonly room: number;
  readonly targetId: string;
  readonly sender: number;
  readonly variant: string;
}

export function annotationOf(
  room: number,
  sender: number,
  event: Pick<EventDraft, 'type' | 'content'> & { readonly stateKey?: string | undefined },
  relation: Relation,
): Annotation | undefined {
  if (relation.relType !== 'm.annotation' || relation.key === undefined) return undefined;
  const { type, stateKey, content } = event;
  return { room, targetId: relation.targetId, sender, variant: relationVariant({ type, stateKey, content }, relation) };
}

export const annotationKey = ({ room, targetId, sender, variant }: Annotation): string =>
  `${room} ${targetId} ${sender} ${variant}`;

async function checkThread(ctx: RoomsContext, dag: RoomDag, { targetId }: Relation): Promise<void> {
  const root = await ctx.relations.find(targetId);
  if (root?.room === dag.room && root.relation !== undefined)
    throw new MatrixError(400, 'M_UNKNOWN', 'A thread cannot start at an event that relates to another one itself');
}

async function isAnnotated(ctx: RoomsContext, annotation: Annotation): Promise<boolean> {
  if (ctx.relations.isAnnotating(annotationKey(annotation))) return true;
  return (await ctx.db.one(findAnnotation, { ...annotation })) !== undefined;
}
