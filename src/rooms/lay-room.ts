/** The events that a room starts with, in one unit: docs/decisions/0007. */
import { MatrixError } from '../matrix/errors.ts';
import type { RoomId } from '../matrix/ids/ids.ts';
import type { RoomVersionRules } from '../matrix/room-versions/rules.ts';
import { UniqueViolation, UnitFailed } from '../storage/database.ts';
import { appendFirstEvent } from './append-local-event.ts';
import { type BuiltEvent, buildEvent } from './build-event.ts';
import { type Actor, type RoomsContext, randomOpaqueId, signerFor } from './context.ts';
import type { StateDraft } from './create-room-events.ts';
import type { Placed, ReceiveOptions, RoomDag } from './dag/contract.ts';
import { timelineEntry } from './event-effects.ts';
import { mainThread } from './threads.ts';
import { settingsToCarry } from './upgrade/carried-settings.ts';

export interface LaidRoom {
  readonly roomId: RoomId;
  /** The last event, which requires all before it. */
  readonly last: Placed;
}

/**
 * The room is on disk when this resolves. The first draft is the create event. `withLast`: what becomes true with the last
 * one, when the room is whole.
 * Errors: M_INVALID_ROOM_STATE (an event is refused), M_BAD_JSON, M_TOO_LARGE; nothing was made.
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
    // Where the id is made from the event, two like it in one millisecond would be one room.
    const last = await ctx.locks.run(roomId, async () =>
      ctx.dags.isHot(roomId) ? undefined : lay(ctx, actor, create, drafts, withLast),
    );
    if (last !== undefined && (await isMade(ctx, roomId, last))) return { roomId, last };
  }
}

/** False: there was such a room already. */
async function isMade(ctx: RoomsContext, roomId: RoomId, { ticket }: Placed): Promise<boolean> {
  try {
    await ticket?.committed;
    return true;
  } catch (error) {
    const mayBeKnown = error instanceof UnitFailed && error.cause instanceof UniqueViolation;
    if (mayBeKnown && (await ctx.dags.find(roomId)) !== undefined) return false;
    throw error;
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

/** Gives the last event. */
async function lay(
  ctx: RoomsContext,
  actor: Actor,
  create: BuiltEvent,
  drafts: readonly StateDraft[],
  withLast: ReceiveOptions['also'],
): Promise<Placed> {
  const room = ctx.dags.begin(create.event);
  await receiveCreateEvent(actor, room.dag, create);
  const layRest = async (also: ReceiveOptions['also']): Promise<Placed> => {
    await appendFirstEvents(ctx, actor, room.dag, drafts, also);
    return room.handIn();
  };
  const carried = await settingsToCarry(ctx, room.dag, actor.userId);
  if (carried === undefined) return layRest(withLast);
  let last: Placed | undefined;
  await ctx.members.withCopiedSettings(carried.user, carried.from, room.dag, async (writeSettings) => {
    last = await layRest((unit, placed) => {
      writeSettings(unit);
      withLast?.(unit, placed);
    });
    await last.ticket?.committed;
  });
  if (last === undefined) throw new Error('what was to be done with the settings was not done');
  return last;
}

async function receiveCreateEvent(actor: Actor, dag: RoomDag, { event, body }: BuiltEvent): Promise<void> {
  const { verdict } = await dag.receive(event, body, {
    local: true,
    also(unit, placed) {
      const { ord } = placed;
      if (ord === null) return;
      const thread = { threadId: mainThread, counted: false };
      unit.wake({ kind: 'event', ...timelineEntry(event, actor.userNid, placed, ord, thread) });
    },
  });
  if (!verdict.ok) throw refused(event.type, verdict.reason);
}

async function appendFirstEvents(
  ctx: RoomsContext,
  actor: Actor,
  dag: RoomDag,
  drafts: readonly StateDraft[],
  withLast: ReceiveOptions['also'],
): Promise<void> {
  for (const [index, draft] of drafts.entries()) {
    const options = index === drafts.length - 1 ? { also: withLast } : {};
    await appendFirstEvent(ctx, dag, { ...draft, sender: actor.userId }, options).catch((error: unknown) => {
      throw error instanceof MatrixError && error.errcode === 'M_FORBIDDEN'
        ? refused(draft.type, error.message)
        : error;
    });
  }
}

/** A request that implies what is forbidden is a bad request. */
const refused = (type: string, reason: string): MatrixError =>
  new MatrixError(400, 'M_INVALID_ROOM_STATE', `${type} is not allowed: ${reason}`);
