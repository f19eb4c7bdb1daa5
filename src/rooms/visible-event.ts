/** One event of a room, for somebody who may see it. */
import { MatrixError, notFound } from '../matrix/errors.ts';
import type { EventId, RoomId } from '../matrix/ids/ids.ts';
import { EventFlag } from '../storage/event-flags.ts';
import { type EventRow, eventById } from '../storage/stores/timeline-store.ts';
import type { Actor, RoomsContext } from './context.ts';
import type { RoomDag } from './dag/contract.ts';
import { withFetched } from './fetched-history.ts';
import { type VisibilityTimeline, isVisible } from './history-visibility.ts';
import { type OpenedForReading, openForReading } from './read-state.ts';

/** Throws M_NOT_FOUND where there is no such event in the room, or the user may not see it, or the room. */
export async function openVisibleEvent(
  ctx: RoomsContext,
  actor: Actor,
  roomId: RoomId,
  eventId: EventId,
): Promise<OpenedForReading & { readonly row: EventRow }> {
  const opened = await openForReading(ctx, actor, roomId).catch((error: unknown) => {
    throw error instanceof MatrixError && error.errcode === 'M_FORBIDDEN' ? noSuchEvent() : error;
  });
  return { ...opened, row: await visibleRow(ctx, actor, opened, eventId) };
}

/** Throws M_NOT_FOUND. */
export async function visibleRow(
  ctx: RoomsContext,
  actor: Actor,
  { dag, access }: OpenedForReading,
  eventId: EventId,
): Promise<EventRow> {
  const row = await permittedRow(ctx, dag, access.timeline, eventId);
  // State is shown whoever sent it.
  if (row.skey === null && (await ctx.ignored.of(actor)).has(await ctx.names.userId(row.sender))) throw noSuchEvent();
  return row;
}

/** What its reader may see, also where they do not want to. Throws M_NOT_FOUND. */
export async function permittedRow(
  ctx: RoomsContext,
  dag: RoomDag,
  timeline: VisibilityTimeline,
  eventId: EventId,
): Promise<EventRow> {
  const row = await ctx.db.one(eventById, { eventId });
  const isHidden = (row?.flags ?? 0) & (EventFlag.rejected | EventFlag.softFailed | EventFlag.outlier);
  if (row === undefined || row.room !== dag.room || row.pos === null || isHidden) throw noSuchEvent();
  if (!isVisible(await withFetched(ctx, timeline, [row]), row.pos)) throw noSuchEvent();
  return row;
}

export const noSuchEvent = (): MatrixError => notFound('There is no such event, or you may not see it');
