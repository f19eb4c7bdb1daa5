/** A join that another server took in is stored here, with the state of the room before it. */
import type { EventId, ServerName } from '../../matrix/ids/ids.ts';
import { MissingEvents, type Placed, type ReceiveOptions, type RoomDag } from '../../rooms/dag/contract.ts';
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
  const place = () => placeJoin(ctx, { rules, server, event }, answer);
  const placed = await place()
    .catch(async (error: unknown) => {
      if (!(error instanceof MissingEvents)) throw error;
      await ctx.fetchEvents(server, roomId, error.prevEvents);
      return place();
    })
    .catch((error: unknown) => {
      if (!(error instanceof MissingEvents)) throw error;
      throw new FederationError(server, 'unusable', 'what the join refers to cannot be had', { cause: error });
    });
  await placed.ticket?.committed;
  if (!placed.verdict.ok)
    throw new FederationError(server, 'unusable', `the room's rules refuse the join: ${placed.verdict.reason}`);
}

/** Throws MissingEvents where the room's state is not known whole, and neither is what the join refers to. */
function placeJoin(
  ctx: MembershipContext,
  { rules, server, event }: Pick<SignedMembership, 'rules' | 'server' | 'event'>,
  answer: JoinAnswer,
): Promise<Placed> {
  const { roomId } = event;
  return ctx.rooms.locks.run(roomId, async () => {
    const dag = await ctx.rooms.dags.adopt(roomId, rules.version);
    if (dag.rules.version !== rules.version)
      throw new FederationError(server, 'unusable', `the room has version ${dag.rules.version} here`);
    const state = await storeState(dag, answer);
    if (await isResident(ctx.rooms, dag.room)) return receiveAsMember(ctx, dag, answer, state);
    const options = {
      given: givenFor(answer.join.event.prevEvents, state),
      entering: true,
      marks: EventFlag.sentOnElsewhere,
    };
    return answer.isPartial
      ? receivePartially(ctx, dag, server, answer, options)
      : receiveEvent(ctx.rooms, dag, answer.join, options);
  });
}

/** What it takes to go on with the room later is written together with the join. */
async function receivePartially(
  { rooms }: MembershipContext,
  dag: RoomDag,
  server: ServerName,
  answer: JoinAnswer,
  options: Omit<ReceiveOptions, 'local' | 'notifies' | 'prepare'>,
): Promise<Placed> {
  const others = [...new Set([server, ...answer.servers])].filter((name) => !rooms.localServers.isLocal(name));
  const servers = await rooms.names.serverNids(others);
  const { room } = dag;
  const begun = { room, joinId: answer.join.event.eventId, startedTs: rooms.clock.nowMs() };
  return receiveEvent(rooms, dag, answer.join, {
    ...options,
    partial: true,
    also: (unit, { verdict }) => verdict.ok && rooms.partialRooms.writeBegun(unit, begun, servers),
  });
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
  { join, isPartial }: JoinAnswer,
  state: readonly EventId[],
): Promise<Placed> {
  const marks = EventFlag.sentOnElsewhere;
  try {
    return await receiveEvent(rooms, dag, join, { marks });
  } catch (error) {
    if (!(error instanceof MissingEvents) || error.authEvents.length > 0 || isPartial) throw error;
    return receiveEvent(rooms, dag, join, { marks, given: givenFor(error.prevEvents, state) });
  }
}

function givenFor(parents: readonly EventId[], state: readonly EventId[]): NonNullable<ReceiveOptions['given']> {
  return new Map(parents.map((parentId) => [parentId, state]));
}
