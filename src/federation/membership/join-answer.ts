/** The answer to send_join, checked. https://spec.matrix.org/v1.19/server-server-api/#put_matrixfederationv2send_joinroomideventid */
import type { EventId, RoomId, ServerName } from '../../matrix/ids/ids.ts';
import { isServerName } from '../../matrix/ids/server-name.ts';
import { checkStateDependentAuthRules } from '../../matrix/event-auth/state-dependent.ts';
import { type CitedEvent, checkStateIndependentAuthRules } from '../../matrix/event-auth/state-independent.ts';
import type { RoomEvent } from '../../matrix/events/room-event.ts';
import { createEventIdOfRoom } from '../../matrix/ids/room-id.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../matrix/json/json-value.ts';
import { isRawNumber } from '../../matrix/json/raw-number.ts';
import type { RoomVersionRules } from '../../matrix/room-versions/rules.ts';
import { stateMapKey } from '../../matrix/state-res/state-map.ts';
import { requiredSigners } from '../../matrix/crypto/event-signatures.ts';
import { limits } from '../../platform/limits.ts';
import type { CheckedEvent } from '../../rooms/receive-event.ts';
import type { RoomsContext } from '../../rooms/context.ts';
import { findStoredEvent } from '../../rooms/stored-event.ts';
import { EventFlag } from '../../storage/event-flags.ts';
import type { PduVerifier } from '../contract.ts';
import type { MembershipContext } from './context.ts';
import { FederationError } from '../federation-error.ts';
import { authEventsFirst } from './auth-events-first.ts';
import type { SignedMembership } from './handshakes.ts';

export interface JoinAnswer {
  /** The join, with the signature of the server that let the user into a restricted room. */
  readonly join: CheckedEvent;
  /** All that came and could be verified, each after its auth events. */
  readonly events: readonly CheckedEvent[];
  /** Of these, the state before the join. */
  readonly state: readonly EventId[];
  readonly isPartial: boolean;
  /** Those that are in the room; empty where the other server did not say. */
  readonly servers: readonly ServerName[];
}

/**
 * An event that cannot be verified is left out, and so is what cites it: it does not keep anybody from joining. Throws
 * FederationError 'unusable' where the rest does not bear out the join: no create event, another room or version, or missing auth
 * events; and 'answered' with 403 where the state does not let the user in.
 */
export async function checkedJoinAnswer(
  { verifier, rooms }: Pick<MembershipContext, 'verifier' | 'rooms'>,
  signed: SignedMembership,
  answer: JsonObject,
): Promise<JoinAnswer> {
  const { rules, server } = signed;
  const refuse = (reason: string): never => {
    throw new FederationError(server, 'unusable', `an answer to a join that is not what was asked for: ${reason}`);
  };
  const stateGiven = pdusIn(answer['state']) ?? refuse('state is no array of PDUs');
  const chainGiven = pdusIn(answer['auth_chain']) ?? refuse('auth_chain is no array of PDUs');
  const isPartial = answer['members_omitted'] === true;
  const join = await cosigned(verifier, signed, answer['event'], refuse);
  const { checked, states } = await verified(verifier, signed.event.roomId, rules, stateGiven, chainGiven);
  checked.delete(join.event.eventId);
  const here = await knownHere(rooms, signed, checked);
  const first = createEventIdOf(signed.event.roomId, rules);
  const events = authEventsFirst([...checked.values()], first, (eventId) => here.has(eventId));
  const known = new Map([...here, ...events.map((one) => [one.event.eventId, one.event] as const)]);
  const state = states.filter((event) => known.has(event.eventId) && event.stateKey !== undefined);
  if (new Set(state.map(keyOf)).size < state.length) refuse('a key of the state has two events');
  const create = [...known.values()].find(({ type, stateKey }) => type === 'm.room.create' && stateKey === '');
  if (create === undefined || !state.includes(create)) return refuse('there is no create event in the state');
  if ((create.content['room_version'] ?? '1') !== rules.version) refuse('the room has another version');
  const fault = faultOf(join.event, known, state, create, { rules, isPartial });
  if (fault?.isRefusal === true)
    throw new FederationError(server, 'answered', fault.reason, { status: 403, errcode: 'M_FORBIDDEN' });
  if (fault !== undefined) refuse(fault.reason);
  const servers = serversIn(answer['servers_in_room']);
  return { join, events, state: state.map((event) => event.eventId), isPartial, servers };
}

/** Of the events that the join and those that came cite, those that did not come and are here already. */
async function knownHere(
  rooms: RoomsContext,
  { event }: SignedMembership,
  came: ReadonlyMap<EventId, CheckedEvent>,
): Promise<Map<EventId, RoomEvent>> {
  const cited = new Set([...event.authEvents, ...[...came.values()].flatMap((one) => one.event.authEvents)]);
  const found = new Map<EventId, RoomEvent>();
  for (const eventId of cited) {
    if (came.has(eventId) || found.size >= limits.wholeStateSinglesMax) continue;
    const stored = await findStoredEvent(rooms, eventId);
    const isGood = stored?.event.roomId === event.roomId && (stored.header.flags & EventFlag.rejected) === 0;
    if (stored !== undefined && isGood) found.set(eventId, stored.event);
  }
  return found;
}

interface Fault {
  readonly reason: string;
  /** The rules of the room do not let the user in, whatever the other server says. */
  readonly isRefusal: boolean;
}

/** Why the state does not bear out the join. Of a partial one only the auth events count. */
function faultOf(
  join: RoomEvent,
  known: ReadonlyMap<EventId, RoomEvent>,
  state: readonly RoomEvent[],
  create: RoomEvent,
  { rules, isPartial }: { readonly rules: RoomVersionRules; readonly isPartial: boolean },
): Fault | undefined {
  const cited: CitedEvent[] = [];
  for (const eventId of join.authEvents) {
    const event = known.get(eventId);
    if (event === undefined) return { reason: `the auth event ${eventId} is missing`, isRefusal: false };
    cited.push({ event, rejected: false });
  }
  const independent = checkStateIndependentAuthRules(join, cited, rules, { event: create, rejected: false });
  if (!independent.ok) return { reason: independent.reason, isRefusal: false };
  for (const events of isPartial ? [cited.map(({ event }) => event)] : [cited.map(({ event }) => event), state]) {
    const byKey = new Map([create, ...events].map((event) => [keyOf(event), event]));
    const verdict = checkStateDependentAuthRules(join, (type, key) => byKey.get(stateMapKey(type, key)), rules);
    if (!verdict.ok) return { reason: verdict.reason, isRefusal: true };
  }
  return undefined;
}

async function cosigned(
  verifier: PduVerifier,
  { event, body, rules }: SignedMembership,
  given: JsonValue | undefined,
  refuse: (reason: string) => never,
): Promise<CheckedEvent> {
  if (requiredSigners(event.pdu, rules).length <= 1) return { event, body };
  if (!isJsonObject(given) || isRawNumber(given)) return refuse('the join was not signed');
  const [outcome] = await verifier.verify([given], rules);
  if (outcome?.ok !== true || outcome.wasRedacted || outcome.event.eventId !== event.eventId)
    return refuse('the join was signed badly');
  return outcome;
}

async function verified(
  verifier: PduVerifier,
  roomId: RoomId,
  rules: RoomVersionRules,
  state: readonly JsonObject[],
  authChain: readonly JsonObject[],
): Promise<{ readonly checked: Map<EventId, CheckedEvent>; readonly states: readonly RoomEvent[] }> {
  const outcomes = await verifier.verify([...state, ...authChain], rules);
  const checked = new Map<EventId, CheckedEvent>();
  const states = new Map<EventId, RoomEvent>();
  for (const [index, outcome] of outcomes.entries()) {
    if (!outcome.ok || outcome.event.roomId !== roomId) continue;
    const { event, body } = outcome;
    // What came twice is one event.
    const first = checked.get(event.eventId) ?? { event, body };
    checked.set(event.eventId, first);
    if (index < state.length) states.set(event.eventId, first.event);
  }
  return { checked, states: [...states.values()] };
}

export function pdusIn(value: JsonValue | undefined): readonly JsonObject[] | undefined {
  if (!Array.isArray(value) || value.length > limits.remoteStateEventsMax) return undefined;
  const isPdu = (entry: JsonValue | undefined): entry is JsonObject => isJsonObject(entry) && !isRawNumber(entry);
  return value.every(isPdu) ? value : undefined;
}

function serversIn(value: JsonValue | undefined): ServerName[] {
  if (!Array.isArray(value)) return [];
  const names = value.slice(0, limits.serversInRoomMax).filter((name) => isServerName(name));
  return [...new Set(names)] as ServerName[];
}

const createEventIdOf = (roomId: RoomId, rules: RoomVersionRules): EventId | undefined =>
  rules.eventAuth.createEventIsRoomId ? createEventIdOfRoom(roomId) : undefined;
const keyOf = ({ type, stateKey }: RoomEvent): string => stateMapKey(type, stateKey ?? '');
