/** What can be said of events before anything of them is stored. Pure. */
import { MatrixError, badJson, forbidden, tooLarge } from '../matrix/errors.ts';
import { checkStateDependentAuthRules } from '../matrix/event-auth/state-dependent.ts';
import { eventBytesMax } from '../matrix/events/check-pdu-format.ts';
import type { RoomEvent } from '../matrix/events/room-event.ts';
import { fitsIdentifier } from '../matrix/ids/identifier-size.ts';
import type { EventId } from '../matrix/ids/ids.ts';
import { isUserId } from '../matrix/ids/user-id.ts';
import { canonicalJsonOf } from '../matrix/json/canonical-json.ts';
import type { RoomVersionRules } from '../matrix/room-versions/rules.ts';
import type { EventDraft } from './build-event.ts';
import type { StateDraft } from './create-room-events.ts';

/** What no user of this server sends, although no rule of the room forbids it. Throws M_FORBIDDEN, M_BAD_JSON. */
export function assertSendable({ type, stateKey }: Pick<EventDraft, 'type' | 'stateKey'>): void {
  if (type === 'm.room.create') throw forbidden('A room has one create event');
  if (type === 'm.room.member' && stateKey !== undefined && !isUserId(stateKey))
    throw badJson('The state key of a membership is a user ID');
}

/** Everything of an event but its type, state key and content takes fewer bytes, with ten auth events and a signature. */
const restBytesMax = 2_500;

/**
 * Whether the events of a new room can follow its create event one after another, so that no room is begun that cannot be
 * finished. Errors: M_INVALID_ROOM_STATE, M_BAD_JSON, M_TOO_LARGE.
 */
export function assertInitialEvents(create: RoomEvent, drafts: readonly StateDraft[], rules: RoomVersionRules): void {
  const write = canonicalJsonOf(rules);
  const state = new Map<string, RoomEvent>([[tupleKey('m.room.create', ''), create]]);
  let previous = create.eventId;
  for (const [index, draft] of drafts.entries()) {
    const { type, stateKey, content } = draft;
    if (!fitsIdentifier(type) || !fitsIdentifier(stateKey))
      throw tooLarge('An event type or state key has at most 255 bytes');
    if (Buffer.byteLength(write(content)) > eventBytesMax - restBytesMax)
      throw tooLarge(`The content of ${type} is too large`);
    assertAllowed(draft, () => assertSendable(draft));
    const event: RoomEvent = { ...create, ...draft, eventId: `$${index}` as EventId, prevEvents: [previous] };
    previous = event.eventId;
    const verdict = checkStateDependentAuthRules(event, (...tuple) => state.get(tupleKey(...tuple)), rules);
    assertAllowed(draft, () => {
      if (!verdict.ok) throw forbidden(verdict.reason);
    });
    state.set(tupleKey(type, stateKey), event);
  }
}

/** A request that implies what is forbidden is a bad request. */
function assertAllowed({ type }: StateDraft, check: () => void): void {
  try {
    check();
  } catch (error) {
    throw error instanceof MatrixError && error.errcode === 'M_FORBIDDEN'
      ? new MatrixError(400, 'M_INVALID_ROOM_STATE', `${type} is not allowed: ${error.message}`)
      : error;
  }
}

const tupleKey = (type: string, stateKey: string): string => `${type}\0${stateKey}`;
