import { compileGlob, includesWords } from '../glob/glob.ts';
import { localpartOf } from '../ids/user-id.ts';
import type { JsonValue } from '../json/json-value.ts';
import { parsePropertyPath } from '../json/property-path.ts';
import { anyone, threadSubscription } from './default-push-rules.ts';
import type { PushRecipient, PushRoom } from './push-context.ts';
import type { PushEvent } from './push-event.ts';
import type { PushCondition } from './push-rule.ts';

/** `recipient` undefined: whoever is not named by the event; conditions on a certain user do not hold. */
export type Condition = (event: PushEvent, room: PushRoom, recipient: PushRecipient | undefined) => boolean;

export interface CompiledCondition {
  readonly holds: Condition;
  /** The only room, in lower case, where the condition can hold. */
  readonly roomId?: string;
  /** The only type of event, in lower case, for which the condition can hold. */
  readonly type?: string;
  /** Present where the condition asks about the recipient's id: the ids for which it can hold with this event. */
  readonly namedBy?: (event: PushEvent) => readonly string[];
  /** Whether the condition looks for the recipient's name in the body. */
  readonly readsBody?: true;
  /** Whether the condition asks which threads the recipient follows. */
  readonly readsThread?: true;
}

/**
 * A condition of an override or underride rule as a function. One that is unknown or malformed never holds.
 * https://spec.matrix.org/v1.19/client-server-api/#conditions-1
 */
export function compileCondition(condition: PushCondition): CompiledCondition {
  const { kind, key, pattern, value, is, subscribed } = condition;
  switch (kind) {
    case 'event_match':
      return typeof key === 'string' && typeof pattern === 'string' ? eventMatch(key, pattern) : never;
    case 'event_property_is':
      return typeof key === 'string' && isScalar(value) ? propertyIs(key, value) : never;
    case 'event_property_contains':
      return typeof key === 'string' && isScalar(value) ? propertyContains(key, value) : never;
    case 'contains_display_name':
      return { holds: containsDisplayName, readsBody: true };
    case 'room_member_count':
      return typeof is === 'string' ? forEverybody(memberCount(is)) : never;
    case 'sender_notification_permission':
      return typeof key === 'string' ? forEverybody((_event, room) => room.senderMayNotify(key)) : never;
    case threadSubscription:
      return typeof subscribed === 'boolean' ? followsThread(subscribed) : never;
    default:
      return never;
  }
}

/** The condition of a content rule. */
export function compileContentPattern(pattern: string): CompiledCondition {
  if (pattern === localpartOf(anyone)) return { holds: containsLocalpart, readsBody: true };
  return eventMatch('content.body', pattern);
}

/** The condition of a room or sender rule: the property equals the rule's id. */
export function compileExactProperty(name: 'room_id' | 'sender', ruleId: string): CompiledCondition {
  const path = [name];
  const exact = forEverybody((event) => event.property(path) === ruleId);
  return name === 'room_id' ? { ...exact, roomId: ruleId.toLowerCase() } : exact;
}

const forEverybody = (holds: Condition): CompiledCondition => ({ holds });
const never = forEverybody(() => false);

function eventMatch(key: string, pattern: string): CompiledCondition {
  const path = parsePropertyPath(key);
  if (pattern === anyone) return equalsRecipient(path);
  const glob = compileGlob(pattern.toLowerCase());
  const accepts = key === 'content.body' ? glob.matchesWords : glob.matches;
  const holds: Condition = (event) => {
    const value = event.lowered(key, path);
    return value !== undefined && accepts(value);
  };
  if (glob.literal === undefined) return { holds };
  if (key === 'room_id') return { holds, roomId: glob.literal };
  return key === 'type' ? { holds, type: glob.literal } : { holds };
}

/** The recipient's own id is compared exactly: ids that differ in case are different users. */
function equalsRecipient(path: readonly string[]): CompiledCondition {
  return {
    holds: (event, _room, recipient) => recipient !== undefined && event.property(path) === recipient.userId,
    namedBy: (event) => textsOf([event.property(path)]),
  };
}

function followsThread(subscribed: boolean): CompiledCondition {
  return { holds: (_event, _room, recipient) => recipient?.followsThread === subscribed, readsThread: true };
}

type Scalar = string | number | boolean | null;
const isScalar = (value: JsonValue | undefined): value is Scalar =>
  value === null || typeof value === 'string' || typeof value === 'boolean' || Number.isSafeInteger(value);

function propertyIs(key: string, value: Scalar): CompiledCondition {
  const path = parsePropertyPath(key);
  return forEverybody((event) => event.property(path) === value);
}

function propertyContains(key: string, value: Scalar): CompiledCondition {
  const path = parsePropertyPath(key);
  const listOf = (event: PushEvent): readonly JsonValue[] => {
    const list = event.property(path);
    return Array.isArray(list) ? list : [];
  };
  if (value !== anyone) return forEverybody((event) => listOf(event).includes(value));
  return {
    holds: (event, _room, recipient) => recipient !== undefined && listOf(event).includes(recipient.userId),
    namedBy: (event) => textsOf(listOf(event)),
  };
}

function textsOf(values: readonly (JsonValue | undefined)[]): readonly string[] {
  return values.filter((value) => typeof value === 'string');
}

const containsDisplayName: Condition = (event, _room, recipient) =>
  recipient?.displayName !== undefined && bodyHasWords(event, recipient.displayName);
const containsLocalpart: Condition = (event, _room, recipient) =>
  recipient !== undefined && bodyHasWords(event, localpartOf(recipient.userId));

function bodyHasWords(event: PushEvent, text: string): boolean {
  return event.body !== undefined && includesWords(event.body, text.toLowerCase());
}

/** A decimal integer after ==, <, >, >=, <= or nothing; anything else never holds. */
function memberCount(is: string): Condition {
  const [, operator = '', digits = ''] = /^(==|<=|>=|<|>)?(\d{1,15})$/.exec(is) ?? [];
  const count = Number(digits);
  if (digits === '') return () => false;
  switch (operator) {
    case '<':
      return (_event, room) => room.memberCount < count;
    case '>':
      return (_event, room) => room.memberCount > count;
    case '<=':
      return (_event, room) => room.memberCount <= count;
    case '>=':
      return (_event, room) => room.memberCount >= count;
    default:
      return (_event, room) => room.memberCount === count;
  }
}
