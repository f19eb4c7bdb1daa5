/** The events that a room starts with, one after the other. docs/decisions/0007 and 0011 say why they are several units. */
import { MatrixError, forbidden } from '../matrix/errors.ts';
import type { RoomId } from '../matrix/ids/ids.ts';
import type { RoomVersionRules } from '../matrix/room-versions/rules.ts';
import { type Appended, appendLocalEvent } from './append-local-event.ts';
import { type BuiltEvent, buildEvent } from './build-event.ts';
import { assertInitialEvents } from './check-drafts.ts';
import { type Actor, type RoomsContext, randomOpaqueId, signerFor } from './context.ts';
import type { StateDraft } from './create-room-events.ts';
import type { Placed, ReceiveOptions, RoomDag } from './dag/contract.ts';
import { timelineEntry } from './event-effects.ts';
import { mainThread } from './threads.ts';

export interface LaidRoom {
  readonly roomId: RoomId;
  /** The last event, which requires all before it. */
  readonly last: Placed;
}

/**
 * The room is on disk when this resolves. The first draft is the create event. `withLast`: what becomes true with the last
 * one, when the room is whole.
 * Errors: M_INVALID_ROOM_STATE (an event is refused), M_BAD_JSON, M_TOO_LARGE.
 */
export async function layRoom(
  ctx: RoomsContext,
  actor: Actor,
  rules: RoomVersionRules,
  [createDraft, ...drafts]: readonly StateDraft[],
  withLast?: ReceiveOptions['also'],
): Promise<LaidRoom> {
  if (createDraft === undefined) throw new Error('a room starts with its create event');
  for (let originServerTs = ctx.clock.nowMs(); ; originServerTs++) {
    const create = buildCreateEvent(ctx, actor, createDraft, rules, originServerTs);
    const { roomId } = create.event;
    assertInitialEvents(create.event, drafts, rules);
    const last = await ctx.locks.run(roomId, async () => {
      // Where the id is made from the event, two like it in one millisecond would be one room.
      if ((await ctx.dags.find(roomId)) !== undefined) return undefined;
      const dag = await storeCreateEvent(ctx, actor, create);
      return appendInitialEvents(ctx, actor, dag, drafts, withLast);
    });
    if (last === undefined) continue;
    await last.placed.ticket?.committed;
    return { roomId, last: last.placed };
  }
}

function buildCreateEvent(
  ctx: RoomsContext,
  actor: Actor,
  draft: StateDraft,
  rules: RoomVersionRules,
  originServerTs: number,
): BuiltEvent {
  const signer = signerFor(ctx, actor.userId);
  const roomId =
    rules.roomIdFormat === 'opaque' ? (`!${randomOpaqueId(ctx.random)}:${signer.serverName}` as RoomId) : undefined;
  return buildEvent(
    { ...draft, sender: actor.userId },
    { roomId, rules, prevEvents: [], authEvents: [], depth: 1, originServerTs },
    [signer],
    () => randomOpaqueId(ctx.random),
  );
}

async function storeCreateEvent(ctx: RoomsContext, actor: Actor, create: BuiltEvent): Promise<RoomDag> {
  const { dag, placed } = await ctx.dags.create(create.event, create.body, {
    local: true,
    also: (unit, placed) => {
      const { ord } = placed;
      if (ord !== null)
        unit.wake({
          kind: 'event',
          ...timelineEntry(create.event, actor.userNid, placed, ord, { threadId: mainThread, counted: false }),
        });
    },
  });
  if (!placed.verdict.ok) throw forbidden(placed.verdict.reason);
  return dag;
}

async function appendInitialEvents(
  ctx: RoomsContext,
  actor: Actor,
  dag: RoomDag,
  drafts: readonly StateDraft[],
  withLast: ReceiveOptions['also'],
): Promise<Appended> {
  let last: Appended | undefined;
  for (const [index, draft] of drafts.entries()) {
    const options = index === drafts.length - 1 ? { also: withLast } : {};
    last = await appendLocalEvent(ctx, dag, { ...draft, sender: actor.userId }, options).catch((error: unknown) => {
      throw error instanceof MatrixError && error.errcode === 'M_FORBIDDEN'
        ? new MatrixError(400, 'M_INVALID_ROOM_STATE', `${draft.type} is not allowed: ${error.message}`)
        : error;
    });
  }
  if (last === undefined) throw new Error('a new room has at least its creator');
  return last;
}
