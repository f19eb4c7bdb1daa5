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
  const { remoteRooms } = gap.ctx;
  const at = { roomId: gap.roomId, eventId };
  const event = await fetchEvent(gap, eventId);
  if (event === undefined) throw new GapNotFilled(`no server has given ${eventId}`);
  const ids = await gap.ask((server, options) => remoteRooms.stateIds(server, at, options));
  if (ids === undefined) throw new GapNotFilled(`no server has given the state before ${eventId}`);
  const wanted = [...new Set([...ids.stateIds, ...ids.authChainIds])];
  const known = await gap.places(wanted);
  const atHand = new Map<EventId, CheckedEvent>([[eventId, event]]);
  if (wanted.length - known.size > limits.gapFetchesMax / 2)
    for (const one of await wholeState(gap, eventId)) atHand.set(one.event.eventId, one);
  await storeOutliers(gap, [...ids.stateIds, eventId], atHand);
  const places = await gap.places([...ids.stateIds, eventId]);
  return applied([...places.values()], places.get(eventId));
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
