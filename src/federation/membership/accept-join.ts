/** A join that another server took in is stored here, with the state of the room before it. */
import type { EventId, ServerName } from '../../matrix/ids/ids.ts';
import { MissingEvents, type Placed, type ReceiveOptions, type RoomDag } from '../../rooms/dag/contract.ts';
import type { CheckedEvent } from '../../rooms/receive-event.ts';
import { receiveEvent } from '../../rooms/receive-event.ts';
import { isResident } from '../../rooms/residence.ts';
import { EventFlag } from '../../storage/event-flags.ts';
import { FederationError } from '../federation-error.ts';
import type { MembershipContext } from './context.ts';
import type { SignedMembership } from './handshakes.ts';
import type { JoinAnswer } from './join-answer.ts';

/** On disk when this resolves. Throws FederationError 'unusable' when the room's rules refuse the join after all. */
export async function acceptJoin(
  ctx: MembershipContext,
  { rules, server, event }: SignedMembership,
  answer: JoinAnswer,
): Promise<void> {
  const { roomId } = event;
  const placed = await ctx.rooms.locks.run(roomId, async () => {
    const dag = await ctx.rooms.dags.adopt(roomId, rules.version);
    if (dag.rules.version !== rules.version)
      throw new FederationError(server, 'unusable', `the room has version ${dag.rules.version} here`);
    const state = await storeState(dag, answer);
    return (await isResident(ctx.rooms, dag.room))
      ? receiveAsMember(ctx, dag, answer.join, state)
      : receiveEvent(ctx.rooms, dag, answer.join, {
          given: givenFor(answer.join.event.prevEvents, state),
          entering: true,
          marks: EventFlag.sentOnElsewhere,
          ...(answer.isPartial ? { partial: true } : {}),
        });
  });
  await placed.ticket?.committed;
  if (!placed.verdict.ok)
    throw new FederationError(server, 'unusable', `the room's rules refuse the join: ${placed.verdict.reason}`);
  if (answer.isPartial) ctx.onPartialJoin({ roomId, eventId: event.eventId, servers: serversOf(server, answer) });
}

/** Gives the events of the state that the rules accept. */
async function storeState(dag: RoomDag, { events, state }: JoinAnswer): Promise<EventId[]> {
  const stored = await dag.outliers(events);
  const accepted = new Set(
    events.filter((_event, index) => stored[index]!.verdict.ok).map(({ event }) => event.eventId),
  );
  return state.filter((eventId) => accepted.has(eventId));
}

/** Where others of ours are in the room, its graph is known here, but for events that have not come yet. */
async function receiveAsMember(
  { rooms }: MembershipContext,
  dag: RoomDag,
  join: CheckedEvent,
  state: readonly EventId[],
): Promise<Placed> {
  const marks = EventFlag.sentOnElsewhere;
  try {
    return await receiveEvent(rooms, dag, join, { marks });
  } catch (error) {
    if (!(error instanceof MissingEvents) || error.authEvents.length > 0) throw error;
    return receiveEvent(rooms, dag, join, { marks, given: givenFor(error.prevEvents, state) });
  }
}

function givenFor(parents: readonly EventId[], state: readonly EventId[]): NonNullable<ReceiveOptions['given']> {
  return new Map(parents.map((parentId) => [parentId, state]));
}

const serversOf = (server: ServerName, answer: JoinAnswer): ServerName[] => [...new Set([server, ...answer.servers])];
