/** What another server shows of a room with an invite or a knock. https://spec.matrix.org/v1.19/server-server-api/#inviting-to-a-room */
import { invalidParam } from '../../matrix/errors.ts';
import { pruneToStrippedEvent } from '../../matrix/events/client-event.ts';
import type { RoomId } from '../../matrix/ids/ids.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../matrix/json/json-value.ts';
import { isRawNumber } from '../../matrix/json/raw-number.ts';
import type { RoomVersionRules } from '../../matrix/room-versions/rules.ts';
import { limits } from '../../platform/limits.ts';
import { strippedEvents } from '../../rooms/stripped-state.ts';
import type { PduVerifier } from '../contract.ts';

export interface ShownRoom {
  readonly roomId: RoomId;
  readonly rules: RoomVersionRules;
  readonly roomState: readonly JsonValue[];
}

/**
 * As clients are shown it. Since room version 12, whose ids say nothing else of a room, events must be whole and signed, and
 * the create event among them; before, servers may send stripped events, of which nothing can be checked.
 * Throws M_INVALID_PARAM.
 */
export async function shownRoomState(
  { verifier }: { readonly verifier: PduVerifier },
  { roomId, rules, roomState }: ShownRoom,
): Promise<JsonObject[]> {
  if (roomState.length > limits.invitedRoomStateMax)
    throw invalidParam(`The room state has more than ${limits.invitedRoomStateMax} events`);
  const objects = roomState.flatMap((entry) => (isJsonObject(entry) && !isRawNumber(entry) ? [entry] : []));
  if (!rules.eventAuth.createEventIsRoomId)
    return objects.map(pruneToStrippedEvent).filter((entry) => entry !== undefined);
  const outcomes = await verifier.verify(objects, rules);
  const events = outcomes.flatMap((outcome) => (outcome.ok ? [outcome.event] : []));
  if (events.length < roomState.length) throw invalidParam('The room state has events that are badly formed or signed');
  if (events.some((event) => event.roomId !== roomId)) throw invalidParam('The room state has events of another room');
  if (!events.some(({ type, stateKey }) => type === 'm.room.create' && stateKey === ''))
    throw invalidParam('The room state has no create event');
  return strippedEvents(events.filter(({ stateKey }) => stateKey !== undefined));
}
