/**
 * An event of a room as the pure functions see it: its id attached, and the fields whose wire form differs between room
 * versions (references, redacts, the room id of a version 12 create event) brought to one form.
 * `pdu` is the wire form, with the wire's own field names; nothing in it is ever renamed, because it is hashed.
 */
import type { EventId, RoomId, UserId } from '../ids/ids.ts';
import type { JsonObject } from '../json/json-value.ts';

export interface RoomEvent {
  readonly eventId: EventId;
  readonly roomId: RoomId;
  readonly type: string;
  /** undefined: not a state event. */
  readonly stateKey: string | undefined;
  readonly sender: UserId;
  readonly content: JsonObject;
  readonly originServerTs: number;
  readonly depth: number;
  readonly prevEvents: readonly EventId[];
  readonly authEvents: readonly EventId[];
  /** From the top level or from content, as the room version has it. */
  readonly redacts: EventId | undefined;
  readonly pdu: JsonObject;
}

export type StateTuple = readonly [type: string, stateKey: string];
/** State as a function: the event for (type, state_key), if there is one. */
export type StateLookup = (type: string, stateKey: string) => RoomEvent | undefined;

/** Outcome of an authorisation check. `rule` is the specification's rule number, such as "4.3.1". */
export type AuthResult = { readonly ok: true } | { readonly ok: false; readonly rule: string; readonly reason: string };
