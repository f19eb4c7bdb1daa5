/** What another server shows of a room with an invite or a knock. https://spec.matrix.org/v1.19/server-server-api/#inviting-to-a-room */
import { invalidParam, missingParam } from '../../matrix/errors.ts';
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
 * As clients are shown it. Since room version 12, whose ids say nothing else of a room, whole events must be of the room, and
 * genuine. Stripped ones, of which nothing can be checked, and a state without a create event are still taken as they are:
 * there are servers that know nothing else yet (MSC4311, migration). Throws M_INVALID_PARAM (too much),
 * M_MISSING_PARAM.
 */
export async function shownRoomState(
  { verifier }: { readonly verifier: PduVerifier },
  { roomId, rules, roomState }: ShownRoom,
): Promise<JsonObject[]> {
  if (roomState.length > limits.invitedRoomStateMax)
    throw invalidParam(`The room state has more than ${limits.invitedRoomStateMax} events`);
  const objects = roomState.flatMap((entry) => (isJsonObject(entry) && !isRawNumber(entry) ? [entry] : []));
  const isWhole = (entry: JsonObject): boolean => rules.eventAuth.createEventIsRoomId && entry['hashes'] !== undefined;
  const whole = objects.filter(isWhole);
  const stripped = objects.filter((entry) => !isWhole(entry)).map(pruneToStrippedEvent);
  const outcomes = whole.length === 0 ? [] : await verifier.verify(whole, rules);
  const events = outcomes.flatMap((outcome) => (outcome.ok ? [outcome.event] : []));
  if (events.length < whole.length) throw missingParam('The room state has events that are badly formed or signed');
  if (events.some((event) => event.roomId !== roomId)) throw missingParam('The room state has events of another room');
  return [
    ...strippedEvents(events.filter(({ stateKey }) => stateKey !== undefined)),
    ...stripped.filter((entry) => entry !== undefined),
  ];
}
