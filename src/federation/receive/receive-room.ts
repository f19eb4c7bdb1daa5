/**
 * The events of one room in a transaction: who may send them, whether they are genuine, their places. What refers to events
 * that are not known here is put on disk and waits.
 * https://spec.matrix.org/v1.19/server-server-api/#checks-performed-on-receipt-of-a-pdu
 */
import type { ReceivedPdu } from '../../matrix/crypto/receive-pdu.ts';
import type { EventId, RoomId, ServerName } from '../../matrix/ids/ids.ts';
import { serverOf } from '../../rooms/context.ts';
import type { RoomDag } from '../../rooms/dag/contract.ts';
import { askForPolicySignatures } from '../../rooms/policy-servers.ts';
import type { CheckedEvent } from '../../rooms/receive-event.ts';
import type { RoomPdus } from '../contract.ts';
import { withdrawInvites } from '../membership/withdrawn-invites.ts';
import { isAllowedIn } from '../room-acl.ts';
import type { ReceiveContext } from './context.ts';
import { allCommitted, awaitedIds, type Outcome, placePdus, ticketOf } from './place-pdus.ts';
import type { RoomDoors } from './room-doors.ts';
import type { RoomWorkers } from './room-workers.ts';
import type { StagedPdus } from './staged-pdus.ts';

export interface RoomReceiving {
  readonly ctx: ReceiveContext;
  readonly doors: RoomDoors;
  readonly staged: StagedPdus;
  readonly workers: RoomWorkers;
}

/** An event's id, and why it was not taken; undefined: it was. */
export type PduResult = readonly [EventId, string | undefined];

/**
 * Everything that was taken is on disk when this resolves. An event whose id cannot be told has no result. Throws UnitFailed:
 * then nothing is known of what was taken, and the transaction is to be sent again.
 */
export async function receiveRoomPdus(
  receiving: RoomReceiving,
  origin: ServerName,
  roomId: RoomId,
  pdus: RoomPdus,
): Promise<PduResult[]> {
  const { ctx, doors } = receiving;
  const dag = await ctx.rooms.dags.find(roomId);
  const reason = dag === undefined ? notHere : await refusal(doors, dag, origin);
  if (dag !== undefined && reason === notHere) return receiveFromOutside(receiving, dag, pdus);
  if (dag === undefined || reason !== undefined) {
    ctx.counters.pdus.add({ fate: 'refused' }, pdus.count);
    return (await pdus.eventIds(dag?.rules)).flatMap((eventId) => resultOf(eventId, reason));
  }
  const results: PduResult[] = [];
  const checked = new Map<EventId, CheckedEvent>();
  for (const { eventId, received } of await pdus.verify(dag.rules)) {
    const fault = await faultOf(dag, received);
    if (received.ok && fault === undefined) checked.set(received.event.eventId, received);
    else {
      ctx.counters.pdus.add({ fate: 'refused' });
      results.push(...resultOf(eventId, fault));
    }
  }
  return [...results, ...(await take(receiving, origin, dag, [...checked.values()]))];
}

const notHere = 'This server is not in the room';

/** Of a room that nobody of ours is in. */
async function receiveFromOutside({ ctx }: RoomReceiving, dag: RoomDag, pdus: RoomPdus): Promise<PduResult[]> {
  const verified = await pdus.verify(dag.rules);
  const genuine = verified.flatMap(({ received }) =>
    received.ok && received.event.roomId === dag.roomId ? [received] : [],
  );
  const withdrawn = await withdrawInvites(ctx.rooms, dag, genuine);
  ctx.counters.pdus.add({ fate: 'refused' }, verified.length - withdrawn.size);
  return verified.flatMap(({ eventId }) =>
    resultOf(eventId, eventId !== undefined && withdrawn.has(eventId) ? undefined : notHere),
  );
}

async function refusal(doors: RoomDoors, dag: RoomDag, origin: ServerName): Promise<string | undefined> {
  if (!(await doors.isInhabited(dag))) return notHere;
  return (await isAllowedIn(dag, origin)) ? undefined : `${origin} may not take part in the room`;
}

async function faultOf(dag: RoomDag, received: ReceivedPdu): Promise<string | undefined> {
  if (!received.ok) {
    if (received.step === 'format') return received.reason;
    return `The signature of ${received.fault.serverName} is not good: ${received.fault.reason}`;
  }
  if (received.event.roomId !== dag.roomId) return 'The event is of another room';
  const server = serverOf(received.event.sender);
  return (await isAllowedIn(dag, server)) ? undefined : `${server} may not take part in the room`;
}

async function take(
  { ctx, staged, workers }: RoomReceiving,
  origin: ServerName,
  dag: RoomDag,
  checked: readonly CheckedEvent[],
): Promise<PduResult[]> {
  if (checked.length === 0) return [];
  await askForPolicySignatures(ctx.rooms, dag, checked);
  const { outcomes, staging } = await ctx.rooms.locks.run(dag.roomId, async () => {
    // The room may have been opened anew while others held its lock.
    const opened = await ctx.rooms.dags.openByNid(dag.room);
    const placing = await placePdus(ctx, opened, checked);
    const missing = placing.filter(({ kind }) => kind === 'missing').map(({ pdu }) => pdu);
    return { outcomes: placing, staging: await staged.stage(opened, origin, missing) };
  });
  ctx.counters.pdus.add({ fate: 'staged' }, staging.staged.length);
  await allCommitted([...outcomes.map(ticketOf), staging.ticket]);
  const waiting = new Set(staging.staged.map(({ event }) => event.eventId));
  await workers.placed(dag, awaitedIds(outcomes));
  if (waiting.size > 0) workers.wake(dag.room);
  return outcomes.map((outcome) => [outcome.pdu.event.eventId, problemOf(outcome, waiting)]);
}

function problemOf(outcome: Outcome, waiting: ReadonlySet<EventId>): string | undefined {
  if (outcome.kind === 'failed') return 'The event could not be worked on';
  if (outcome.kind === 'missing')
    return waiting.has(outcome.pdu.event.eventId) ? undefined : 'Too many events of the room wait for others';
  const { verdict } = outcome.placed;
  return verdict.ok ? undefined : verdict.reason;
}

function resultOf(eventId: EventId | undefined, problem: string | undefined): PduResult[] {
  return eventId === undefined ? [] : [[eventId, problem]];
}
