/** Events that were asked for, such as history: verified, and placed with all that they lack. */
import type { EventId, RoomId, ServerName } from '../../matrix/ids/ids.ts';
import type { JsonObject } from '../../matrix/json/json-value.ts';
import type { CheckedEvent } from '../../rooms/receive-event.ts';
import type { HistoryOptions } from './fill-gap.ts';
import type { GapFiller } from './gap-filler.ts';
import { awaitedIds, placedIds } from './place-pdus.ts';
import type { RoomReceiving } from './receive-room.ts';

export interface PlacedPdus {
  /** Events that have a place now and had none before. */
  readonly placed: readonly EventId[];
  /** Events that are known now: what was there before included. */
  readonly known: readonly EventId[];
}

/**
 * `backfill`: they are history, so that they stand before what refers to them, and the state before the oldest is asked for.
 * `before`: they stand together right before that event; `apartBy`: with so much room behind them.
 * They are on disk when this resolves. What is not genuine is left out. To be called without the room's lock. Throws M_NOT_FOUND for a
 * room that is not known here, and GapNotFilled when something that they need cannot be had: then some of them may have
 * their places.
 */
export async function receivePdus(
  { ctx, gaps, workers }: RoomReceiving & { readonly gaps: GapFiller },
  origin: ServerName,
  roomId: RoomId,
  pdus: readonly JsonObject[],
  options: HistoryOptions,
): Promise<PlacedPdus> {
  const dag = await ctx.rooms.dags.open(roomId);
  const checked = new Map<EventId, CheckedEvent>();
  for (const received of await ctx.verifier.verify(pdus, dag.rules))
    if (received.ok && received.event.roomId === roomId) checked.set(received.event.eventId, received);
  if (checked.size === 0) return { placed: [], known: [] };
  const outcomes = await gaps.place(dag, origin, [...checked.values()], options);
  const placed = placedIds(outcomes);
  if (options.backfill !== true) await workers.placed(dag, awaitedIds(outcomes));
  const known = outcomes.filter(({ kind }) => kind === 'placed').map(({ pdu }) => pdu.event.eventId);
  return { placed, known };
}
