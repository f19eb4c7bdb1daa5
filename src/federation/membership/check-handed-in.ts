/** The checks of a membership event that another server hands in by a request of its own, not by a transaction. */
import { invalidParam } from '../../matrix/errors.ts';
import { isRawNumber } from '../../matrix/json/raw-number.ts';
import type { EventId, RoomId, ServerName } from '../../matrix/ids/ids.ts';
import { isUserId } from '../../matrix/ids/user-id.ts';
import { isJsonObject, type JsonObject } from '../../matrix/json/json-value.ts';
import type { RoomVersionRules } from '../../matrix/room-versions/rules.ts';
import { serverOf } from '../../rooms/context.ts';
import type { CheckedEvent } from '../../rooms/receive-event.ts';
import type { MembershipContext } from './context.ts';

export interface HandedInEvent {
  readonly origin: ServerName;
  readonly roomId: RoomId;
  readonly eventId: EventId;
  readonly membership: string;
  readonly pdu: JsonObject;
  readonly rules: RoomVersionRules;
}

/**
 * `sign`: adds a signature of ours, without which the event is not complete. Throws M_INVALID_PARAM unless it is a membership
 * event of a user of `origin`, of that membership, room and id, with good signatures and hashes.
 */
export async function checkHandedIn(
  { verifier }: Pick<MembershipContext, 'verifier'>,
  { origin, roomId, eventId, membership, pdu, rules }: HandedInEvent,
  sign: ((pdu: JsonObject, rules: RoomVersionRules) => JsonObject) | undefined,
): Promise<CheckedEvent> {
  assertMembership(pdu, membership);
  const { sender, room_id: givenRoomId } = pdu;
  if (!isUserId(sender) || serverOf(sender) !== origin) throw invalidParam('The sender is no user of your server');
  if (givenRoomId !== roomId) throw invalidParam('The event is of another room');
  const [outcome] = await verifier.verify([sign === undefined ? pdu : signed(pdu, rules, sign)], rules);
  if (outcome === undefined || !outcome.ok) throw invalidParam(`The event is not usable: ${reasonOf(outcome)}`);
  if (outcome.wasRedacted) throw invalidParam('The hash of the content is wrong');
  if (outcome.event.eventId !== eventId) throw invalidParam(`The id of the event is ${outcome.event.eventId}`);
  return outcome;
}

function assertMembership({ type, state_key: stateKey, content }: JsonObject, membership: string): void {
  if (type !== 'm.room.member' || typeof stateKey !== 'string') throw invalidParam('This is no membership event');
  if (!isJsonObject(content) || isRawNumber(content) || content['membership'] !== membership)
    throw invalidParam(`The membership is not ${membership}`);
}

/** What has no canonical form fails the checks that follow. */
function signed(
  pdu: JsonObject,
  rules: RoomVersionRules,
  sign: (pdu: JsonObject, rules: RoomVersionRules) => JsonObject,
): JsonObject {
  try {
    return sign(pdu, rules);
  } catch {
    throw invalidParam('The event has no canonical JSON');
  }
}

type Outcome = Awaited<ReturnType<MembershipContext['verifier']['verify']>>[number];

function reasonOf(outcome: Outcome | undefined): string {
  if (outcome === undefined || outcome.ok) return 'it was not checked';
  return outcome.step === 'format'
    ? outcome.reason
    : `the signature of ${outcome.fault.serverName} is ${outcome.fault.reason}`;
}
