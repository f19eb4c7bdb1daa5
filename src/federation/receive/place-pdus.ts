/** Events that were verified take their places in a room, parents before children. */
import type { EventId } from '../../matrix/ids/ids.ts';
import { UnitFailed, type UnitBuilder, type UnitTicket } from '../../storage/database.ts';
import { MissingEvents, type Placed, type ReceiveOptions, type RoomDag } from '../../rooms/dag/contract.ts';
import { inCausalOrder } from '../../rooms/dag/causal-order.ts';
import { type CheckedEvent, receiveEvent } from '../../rooms/receive-event.ts';
import type { PduFate } from './receive-counters.ts';
import type { ReceiveContext } from './context.ts';

/** What became of one event. `failed`: of its own fault or ours, it cannot be placed. */
export type Outcome<Pdu extends CheckedEvent = CheckedEvent> =
  | {
      readonly kind: 'placed';
      readonly pdu: Pdu;
      readonly placed: Placed;
      /** Nothing had referred to it before. */
      readonly isNew: boolean;
    }
  | { readonly kind: 'missing'; readonly pdu: Pdu; readonly missing: MissingEvents }
  | { readonly kind: 'failed'; readonly pdu: Pdu; readonly error: unknown };

export interface PlaceOptions<Pdu> {
  readonly given?: ReceiveOptions['given'];
  readonly backfill?: boolean;
  /** Of history: where each stands in the timeline. */
  readonly ords?: ReadonlyMap<EventId, number> | undefined;
  /** An event whose state differs little from those that are given. */
  readonly near?: EventId | undefined;
  /** Further statements of each event's unit. */
  readonly also?: (unit: UnitBuilder, pdu: Pdu) => void;
}

/**
 * To be called with the room's lock held. What is placed is on disk when the tickets' promises resolve. An event that cannot be
 * placed does not keep others from it, unless they build on it. Throws UnitFailed.
 */
export async function placePdus<Pdu extends CheckedEvent>(
  ctx: ReceiveContext,
  dag: RoomDag,
  pdus: readonly Pdu[],
  options: PlaceOptions<Pdu> = {},
): Promise<Outcome<Pdu>[]> {
  const outcomes: Outcome<Pdu>[] = [];
  // With states that are handed in, what is placed may refer to what comes after it.
  const isPlain = options.given === undefined || options.given.size === 0;
  const fresh = isPlain ? await dag.findNew(pdus.map(({ event }) => event.eventId)) : nothing;
  for (const pdu of parentsFirst(pdus))
    outcomes.push(await placePdu(ctx, dag, pdu, options, fresh.has(pdu.event.eventId)));
  return outcomes;
}

async function placePdu<Pdu extends CheckedEvent>(
  ctx: ReceiveContext,
  dag: RoomDag,
  pdu: Pdu,
  { given, backfill, ords, near, also }: PlaceOptions<Pdu>,
  isNew: boolean,
): Promise<Outcome<Pdu>> {
  try {
    const placed = await receiveEvent(ctx.rooms, dag, pdu, {
      isNew,
      ...givenTo(pdu, given),
      ...(backfill === undefined ? {} : { backfill }),
      ...(ords?.has(pdu.event.eventId) === true ? { ord: ords.get(pdu.event.eventId)! } : {}),
      ...(near === undefined ? {} : { near }),
      ...(also === undefined ? {} : { also: (unit) => also(unit, pdu) }),
    });
    ctx.counters.pdus.add({ fate: fateOf(placed) });
    return { kind: 'placed', pdu, placed, isNew };
  } catch (error) {
    if (error instanceof UnitFailed) throw error;
    if (error instanceof MissingEvents) return { kind: 'missing', pdu, missing: error };
    ctx.onFailed(error);
    return { kind: 'failed', pdu, error };
  }
}

const nothing: ReadonlySet<EventId> = new Set();

function givenTo(
  { event }: CheckedEvent,
  given: ReadonlyMap<EventId, readonly EventId[]> | undefined,
): Pick<ReceiveOptions, 'given'> {
  if (given === undefined || given.size === 0) return {};
  const own = event.prevEvents.filter((id) => given.has(id)).map((id) => [id, given.get(id)!] as const);
  return own.length === 0 ? {} : { given: new Map(own) };
}

export const ticketOf = (outcome: Outcome): UnitTicket | undefined =>
  outcome.kind === 'placed' ? outcome.placed.ticket : undefined;

/** Those that have a place now, and that something had referred to before. */
export function awaitedIds(outcomes: readonly Outcome[]): EventId[] {
  const awaited = outcomes.filter((outcome) => outcome.kind === 'placed' && !outcome.isNew);
  return placedIds(awaited);
}

/** Those that have a place now and had none before. */
export function placedIds(outcomes: readonly Outcome[]): EventId[] {
  return outcomes.filter((outcome) => ticketOf(outcome) !== undefined).map(({ pdu }) => pdu.event.eventId);
}

/** Throws UnitFailed, when all of them are settled. */
export async function allCommitted(tickets: readonly (UnitTicket | undefined)[]): Promise<void> {
  const commits = tickets.flatMap((ticket) => (ticket === undefined ? [] : [ticket.committed]));
  const settled = await Promise.allSettled(commits);
  const failed = settled.find((one) => one.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}

/** Most of what comes is in order already. */
export function parentsFirst<Pdu extends CheckedEvent>(pdus: readonly Pdu[]): readonly Pdu[] {
  if (pdus.length < 2) return pdus;
  const later = new Set(pdus.map(({ event }) => event.eventId));
  let isInOrder = true;
  for (const { event } of pdus) {
    if (event.prevEvents.some((id) => later.has(id)) || event.authEvents.some((id) => later.has(id))) isInOrder = false;
    later.delete(event.eventId);
  }
  if (isInOrder) return pdus;
  const numbered = pdus.map((pdu, index) => {
    const { eventId, prevEvents, authEvents } = pdu.event;
    return { place: { nid: index, pos: index }, event: { eventId, prevEvents: [...prevEvents, ...authEvents] }, pdu };
  });
  return inCausalOrder(numbered, () => true).map(({ pdu }) => pdu);
}

function fateOf({ ticket, verdict, softFailed }: Placed): PduFate {
  if (ticket === undefined) return 'known';
  if (!verdict.ok) return 'rejected';
  return softFailed ? 'soft-failed' : 'accepted';
}
