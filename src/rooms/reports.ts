/** Reports of rooms and events to this server's administrators. https://spec.matrix.org/v1.19/client-server-api/#reporting-content */
import { MatrixError, notFound } from '../matrix/errors.ts';
import type { EventId, RoomId } from '../matrix/ids/ids.ts';
import { insertReport } from '../storage/stores/report-store.ts';
import type { Actor, RoomsContext } from './context.ts';
import { openJoinedRoom } from './membership.ts';
import { loadVisibility } from './visibility.ts';
import { noSuchEvent, permittedRow } from './visible-event.ts';

/**
 * Anybody may report a room, also from outside: it may have been found in a directory, or by an invite. Throws M_NOT_FOUND for
 * one that is not known here; ids of rooms cannot be guessed, so that tells nobody anything.
 */
export async function reportRoom(ctx: RoomsContext, actor: Actor, roomId: RoomId, reason: string): Promise<void> {
  const dag = await ctx.dags.find(roomId);
  if (dag === undefined) throw notFound('The room was not found');
  await write(ctx, actor, { room: dag.room, eventId: null, reason, score: null });
}

export interface EventReport {
  readonly eventId: EventId;
  readonly reason: string | undefined;
  /** How offensive; until v1.18 clients could say so. */
  readonly score: number | undefined;
}

/**
 * Members may report what they may see, also of people whom they ignore. Throws M_NOT_FOUND for everything else, so that
 * nobody learns what there is.
 */
export async function reportEvent(
  ctx: RoomsContext,
  actor: Actor,
  roomId: RoomId,
  { eventId, reason, score }: EventReport,
): Promise<void> {
  const dag = await openJoinedRoom(ctx, actor.userId, roomId).catch((error: unknown) => {
    throw error instanceof MatrixError && error.errcode === 'M_FORBIDDEN' ? noSuchEvent() : error;
  });
  await permittedRow(ctx, dag, await loadVisibility(ctx, dag.room, actor.userId), eventId);
  await write(ctx, actor, { room: dag.room, eventId, reason: reason ?? null, score: score ?? null });
}

interface Reported {
  readonly room: number;
  readonly eventId: EventId | null;
  readonly reason: string | null;
  readonly score: number | null;
}

async function write(ctx: RoomsContext, { userNid: user }: Actor, reported: Reported): Promise<void> {
  const report = { report: ctx.db.nextId(), user, targetUser: null, ts: ctx.clock.nowMs(), ...reported };
  await ctx.db.write((unit) => unit.run(insertReport, report)).committed;
}
