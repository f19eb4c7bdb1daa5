/**
 * What other servers know of rooms: their events, state and history. https://spec.matrix.org/v1.19/server-server-api/#rooms
 *
 * The shape and the size of every answer are checked; whether a PDU is what it claims to be (its id, hashes, signatures, the
 * room, the authorisation rules) is not: nothing of an answer may be believed before a PduVerifier has had it.
 */
import { isEventId } from '../matrix/ids/event-id.ts';
import type { EventId, RoomId, ServerName } from '../matrix/ids/ids.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../matrix/json/json-value.ts';
import { isRawNumber, numericValue } from '../matrix/json/raw-number.ts';
import { limits } from '../platform/limits.ts';
import type { FederationClient, FederationRequest } from './contract.ts';
import { FederationError } from './federation-error.ts';
import { federationPath } from './federation-path.ts';

/** How a request is made, whatever it asks for. */
export type AskOptions = Pick<FederationRequest, 'origin' | 'timeoutMs' | 'signal' | 'isUrgent'>;

/** An event of a room. */
export interface EventPlaceInRoom {
  readonly roomId: RoomId;
  readonly eventId: EventId;
}
export interface RemoteStateIds {
  /** Each once. */
  readonly stateIds: readonly EventId[];
  readonly authChainIds: readonly EventId[];
}
export interface RemoteState {
  readonly state: readonly JsonObject[];
  readonly authChain: readonly JsonObject[];
}
export interface BackfillRequest {
  readonly roomId: RoomId;
  /** They are part of the answer. At most `limits.backfillFromMax`. */
  readonly from: readonly EventId[];
  readonly limit: number;
}
export interface MissingEventsRequest {
  readonly roomId: RoomId;
  /** What is known here: neither they nor anything behind them is answered. */
  readonly earliest: readonly EventId[];
  /** Whose ancestors are wanted; they themselves are not answered. */
  readonly latest: readonly EventId[];
  readonly limit: number;
  /** Absent: 0. */
  readonly minDepth?: number;
}
export interface TimeRequest {
  readonly roomId: RoomId;
  /** Milliseconds since the Unix epoch. */
  readonly ts: number;
  readonly dir: 'f' | 'b';
}
export interface EventAtTime {
  readonly eventId: EventId;
  /** As the other server says; it may be any number. */
  readonly originServerTs: number;
}

/**
 * PDUs are as they came, with exact numbers. Every call throws FederationError; a server that knows no such event or room, or
 * does not tell us, is `answered` with its status. Backfill and missing events may bring more or fewer events than
 * were asked for, in any order, up to `limits.remoteEventsMax`.
 */
export interface RemoteRooms {
  /** https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1eventeventid. Its id is to be compared by the caller. */
  getEvent(server: ServerName, eventId: EventId, options?: AskOptions): Promise<JsonObject>;
  /** Of the state before the event. https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1state_idsroomid */
  stateIds(server: ServerName, at: EventPlaceInRoom, options?: AskOptions): Promise<RemoteStateIds>;
  /** The state before the event. Only for states of some size: it is parsed at once. https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1stateroomid */
  state(server: ServerName, at: EventPlaceInRoom, options?: AskOptions): Promise<RemoteState>;
  /** https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1event_authroomideventid */
  eventAuth(server: ServerName, at: EventPlaceInRoom, options?: AskOptions): Promise<readonly JsonObject[]>;
  /** https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1backfillroomid */
  backfill(server: ServerName, request: BackfillRequest, options?: AskOptions): Promise<readonly JsonObject[]>;
  /** https://spec.matrix.org/v1.19/server-server-api/#post_matrixfederationv1get_missing_eventsroomid */
  missingEvents(
    server: ServerName,
    request: MissingEventsRequest,
    options?: AskOptions,
  ): Promise<readonly JsonObject[]>;
  /** https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1timestamp_to_eventroomid */
  timestampToEvent(server: ServerName, request: TimeRequest, options?: AskOptions): Promise<EventAtTime>;
}

export function createRemoteRooms(client: FederationClient): RemoteRooms {
  const ask = async (
    request: Omit<FederationRequest, 'method'> & { readonly method?: 'POST' },
    options: AskOptions | undefined,
  ): Promise<Answer> => {
    const { destination } = request;
    return new Answer(destination, await client.request({ method: 'GET', ...request, ...options }));
  };
  const responseBytesMax = limits.remoteStateBytesMax;
  return {
    async getEvent(destination, eventId, options) {
      const answer = await ask({ destination, path: federationPath`/_matrix/federation/v1/event/${eventId}` }, options);
      const [pdu] = answer.pdus('pdus', 1);
      return pdu ?? answer.refuse('pdus is empty');
    },
    async stateIds(destination, { roomId, eventId }, options) {
      const path = federationPath`/_matrix/federation/v1/state_ids/${roomId}`;
      const answer = await ask({ destination, path, query: { event_id: eventId }, responseBytesMax }, options);
      return { stateIds: answer.eventIds('pdu_ids'), authChainIds: answer.eventIds('auth_chain_ids') };
    },
    async state(destination, { roomId, eventId }, options) {
      const path = federationPath`/_matrix/federation/v1/state/${roomId}`;
      const answer = await ask({ destination, path, query: { event_id: eventId }, responseBytesMax }, options);
      return {
        state: answer.pdus('pdus', limits.remoteStateEventsMax),
        authChain: answer.pdus('auth_chain', limits.remoteStateEventsMax),
      };
    },
    async eventAuth(destination, { roomId, eventId }, options) {
      const path = federationPath`/_matrix/federation/v1/event_auth/${roomId}/${eventId}`;
      const answer = await ask({ destination, path, responseBytesMax }, options);
      return answer.pdus('auth_chain', limits.remoteStateEventsMax);
    },
    async backfill(destination, { roomId, from, limit }, options) {
      const path = federationPath`/_matrix/federation/v1/backfill/${roomId}`;
      const answer = await ask({ destination, path, query: { v: from, limit }, responseBytesMax }, options);
      return answer.pdus('pdus', limits.remoteEventsMax);
    },
    async missingEvents(destination, { roomId, earliest, latest, limit, minDepth }, options) {
      const path = federationPath`/_matrix/federation/v1/get_missing_events/${roomId}`;
      const content = { earliest_events: earliest, latest_events: latest, limit, min_depth: minDepth ?? 0 };
      const answer = await ask({ destination, method: 'POST', path, content, responseBytesMax }, options);
      return answer.pdus('events', limits.remoteEventsMax);
    },
    async timestampToEvent(destination, { roomId, ts, dir }, options) {
      const path = federationPath`/_matrix/federation/v1/timestamp_to_event/${roomId}`;
      const answer = await ask({ destination, path, query: { ts, dir } }, options);
      return { eventId: answer.eventId('event_id'), originServerTs: answer.integer('origin_server_ts') };
    },
  };
}

/** The members of an answer, each of the type that it must have. */
class Answer {
  readonly #from: ServerName;
  readonly #answer: JsonObject;

  constructor(from: ServerName, answer: JsonObject) {
    this.#from = from;
    this.#answer = answer;
  }

  pdus(name: string, countMax: number): readonly JsonObject[] {
    return this.#array(name, countMax).map((pdu) =>
      isJsonObject(pdu) && !isRawNumber(pdu) ? pdu : this.refuse(`${name} holds something that is no PDU`),
    );
  }

  eventIds(name: string): readonly EventId[] {
    const ids = new Set<EventId>();
    for (const id of this.#array(name, limits.remoteStateEventsMax))
      ids.add(isEventId(id) ? id : this.refuse(`${name} holds something that is no event id`));
    return [...ids];
  }

  eventId(name: string): EventId {
    const id = this.#answer[name];
    return isEventId(id) ? id : this.refuse(`${name} is no event id`);
  }

  integer(name: string): number {
    const number = numericValue(this.#answer[name]);
    return number !== undefined && Number.isSafeInteger(number) ? number : this.refuse(`${name} is no integer`);
  }

  refuse(reason: string): never {
    throw new FederationError(this.#from, 'unusable', `an answer that is not what was asked for: ${reason}`);
  }

  #array(name: string, countMax: number): readonly JsonValue[] {
    const value = this.#answer[name];
    if (!Array.isArray(value)) return this.refuse(`${name} is no array`);
    return value.length <= countMax ? value : this.refuse(`${name} has ${value.length} entries, more than ${countMax}`);
  }
}
