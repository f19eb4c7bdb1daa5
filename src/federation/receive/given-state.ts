/** The state after an event that is not known here, as another server has it. */
import type { EventId } from '../../matrix/ids/ids.ts';
import { limits } from '../../platform/limits.ts';
import type { CheckedEvent } from '../../rooms/receive-event.ts';
import { EventFlag } from '../../storage/event-flags.ts';
import { type Gap, GapNotFilled, type KnownPlace } from './gap.ts';
import { fetchEvent, storeOutliers } from './store-outliers.ts';

/**
 * The events of the room's state after an event, each stored. Throws GapNotFilled.
 * https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1state_idsroomid
 */
export async function stateAfter(gap: Gap, eventId: EventId): Promise<EventId[]> {
  const event = await fetchEvent(gap, eventId);
  if (event === undefined) throw new GapNotFilled(`no server has given ${eventId}`);
  const state = await fetchStateBefore(gap, eventId, new Map([[eventId, event]]));
  await storeOutliers(gap, [eventId], new Map([[eventId, event]]));
  const places = await gap.places([...state, eventId]);
  return applied([...places.values()], places.get(eventId));
}

/** The same of the state before an event. */
export async function stateBefore(gap: Gap, eventId: EventId): Promise<EventId[]> {
  const state = await fetchStateBefore(gap, eventId, new Map());
  return applied([...(await gap.places(state)).values()], undefined);
}

/** As another server says it is; what it consists of is stored then. */
async function fetchStateBefore(
  gap: Gap,
  eventId: EventId,
  known: ReadonlyMap<EventId, CheckedEvent>,
): Promise<readonly EventId[]> {
  const at = { roomId: gap.roomId, eventId };
  const ids = await gap.ask((server, options) => gap.ctx.remoteRooms.stateIds(server, at, options));
  if (ids === undefined) throw new GapNotFilled(`no server has given the state before ${eventId}`);
  const wanted = [...new Set([...ids.stateIds, ...ids.authChainIds])];
  const places = await gap.places(wanted);
  const atHand = new Map<EventId, CheckedEvent>(known);
  if (wanted.length - places.size > limits.gapFetchesMax / 2)
    for (const one of await wholeState(gap, eventId)) atHand.set(one.event.eventId, one);
  await storeOutliers(gap, [...ids.stateIds], atHand);
  return ids.stateIds;
}

async function wholeState(gap: Gap, eventId: EventId): Promise<CheckedEvent[]> {
  const at = { roomId: gap.roomId, eventId };
  const answer = await gap.ask((server, options) => gap.ctx.remoteRooms.state(server, at, options));
  if (answer === undefined) throw new GapNotFilled(`no server has given the events of the state before ${eventId}`);
  return gap.verified([...answer.state, ...answer.authChain]);
}

/** What was rejected is no state, whatever the other server says. */
export function applied(places: readonly KnownPlace[], event: KnownPlace | undefined): EventId[] {
  const isState = ({ skey, flags }: KnownPlace): boolean => skey !== null && (flags & EventFlag.rejected) === 0;
  const ownKey = event !== undefined && isState(event) ? event.skey : null;
  return places
    .filter((place) => isState(place) && (place.skey !== ownKey || place === event))
    .map((place) => place.eventId);
}
