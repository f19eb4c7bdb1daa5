/**
 * What a thread says of the events that it verified. An event comes as the text of its canonical JSON, which the receiver needs anyway to
 * store it and reads faster than a copy of the object.
 */
import { receivePdu, type ReceivedPdu } from '../../matrix/crypto/receive-pdu.ts';
import { roomEventFromPdu } from '../../matrix/events/room-event-from-pdu.ts';
import type { EventId } from '../../matrix/ids/ids.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../matrix/json/json-value.ts';
import { parseJson } from '../../matrix/json/parse-json.ts';
import { isRawNumber } from '../../matrix/json/raw-number.ts';
import type { RoomVersionRules } from '../../matrix/room-versions/rules.ts';
import type { VerifiedPdu } from '../contract.ts';
import { eventIdOf } from './event-ids.ts';
import type { KeyTable } from './key-table.ts';

/** One entry each for every event, in the same order. */
export interface OutcomeTexts {
  /** '' for one whose id cannot be told. */
  readonly eventIds: readonly string[];
  /** '' for one that failed. */
  readonly bodies: readonly string[];
  /** Of those that did not fail: see `redacted` and `odd`. */
  readonly marks: readonly number[];
  /** By index. */
  readonly failures: readonly (readonly [number, Extract<ReceivedPdu, { ok: false }>])[];
}

const redacted = 1;
/** It holds numbers that keep their text. */
const odd = 2;

/** Checks 1 to 3 of each event. PDUs were parsed with `numbers: 'exact'`. */
export function verifyHere(pdus: readonly JsonObject[], rules: RoomVersionRules, keys: KeyTable): VerifiedPdu[] {
  return pdus.map((pdu) => {
    const received = receivePdu(pdu, rules, keys.forPdu(pdu, rules));
    return { eventId: received.ok ? received.event.eventId : eventIdOf(pdu, rules), received };
  });
}

export function toOutcomeTexts(verified: readonly VerifiedPdu[], rules: RoomVersionRules): OutcomeTexts {
  const eventIds: string[] = [];
  const bodies: string[] = [];
  const marks: number[] = [];
  const failures: [number, Extract<ReceivedPdu, { ok: false }>][] = [];
  for (const [index, { eventId, received }] of verified.entries()) {
    eventIds.push(eventId ?? '');
    bodies.push(received.ok ? received.body : '');
    if (received.ok) {
      const isOdd = !rules.strictCanonicalJson && holdsRawNumber(received.event.pdu);
      marks.push((received.wasRedacted ? redacted : 0) | (isOdd ? odd : 0));
    } else {
      marks.push(0);
      failures.push([index, received]);
    }
  }
  return { eventIds, bodies, marks, failures };
}

export function fromOutcomeTexts(texts: OutcomeTexts, rules: RoomVersionRules): VerifiedPdu[] {
  const failures = new Map(texts.failures);
  return texts.bodies.map((body, index) => {
    const eventId = texts.eventIds[index] as EventId | '';
    const failure = failures.get(index);
    if (failure !== undefined) return { eventId: eventId === '' ? undefined : eventId, received: failure };
    const mark = texts.marks[index] ?? 0;
    const pdu: JsonValue = (mark & odd) === 0 ? (JSON.parse(body) as JsonValue) : parseJson(body, { numbers: 'exact' });
    if (!isJsonObject(pdu) || eventId === '') throw new TypeError('a verified event is an object with an id');
    const event = roomEventFromPdu(pdu, rules, eventId);
    return { eventId, received: { ok: true, event, body, wasRedacted: (mark & redacted) !== 0 } };
  });
}

export function holdsRawNumber(value: JsonValue | undefined): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (isRawNumber(value)) return true;
  return Object.values(value).some(holdsRawNumber);
}
