/**
 * What the parts of federation ask of each other: signed requests to other servers, their keys, and the checks of PDUs that
 * need nothing but keys. https://spec.matrix.org/v1.19/server-server-api/
 */
import type { FindServerKey } from '../matrix/crypto/event-signatures.ts';
import type { ReceivedPdu } from '../matrix/crypto/receive-pdu.ts';
import type { EventId, RoomId, ServerName } from '../matrix/ids/ids.ts';
import type { JsonObject } from '../matrix/json/json-value.ts';
import type { RoomVersionRules } from '../matrix/room-versions/rules.ts';
import type { StreamedResponse } from '../platform/ports.ts';

/** Who signed a request to us, as endpoints with `auth: 'serverSignature'` see it. */
export interface RequestingServer {
  readonly origin: ServerName;
  /** Which of our names the request was made to. */
  readonly destination: ServerName;
}

/** What the headers of a request say, with the keys to check it by: plain data, so that a worker thread can. */
export interface RequestSignature extends RequestingServer {
  /** In upper case. */
  readonly method: string;
  /** Path and query as they came. */
  readonly uri: string;
  /** At least one; all of them must be good. */
  readonly signatures: readonly RequestSignatureByKey[];
}
export interface RequestSignatureByKey {
  readonly keyId: string;
  /** Unpadded Base64, not looked at yet. */
  readonly sig: string;
  /** 32 bytes in unpadded Base64. */
  readonly publicKey: string;
}

/** The body of a signed request that nobody has parsed, for an endpoint that checks the signature itself. */
export interface UnverifiedBody {
  readonly bytes: Buffer;
  /** Until it is verified with the body's content, its origin only says who it is. */
  readonly signature: RequestSignature;
  /** To be called as soon as the signature is known to be good: who signs badly is slowed down. */
  confirm(): void;
}

export interface FederationRequest {
  readonly destination: ServerName;
  /** Which of our names signs; absent: the main one. */
  readonly origin?: ServerName;
  readonly method: 'GET' | 'PUT' | 'POST';
  /** From `/_matrix` on, without a query; made by `federationPath`, so that every parameter is percent-encoded. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>;
  readonly content?: JsonObject;
  /** Instead of `content`: its canonical JSON. Buffers that many requests share are signed and sent as they are. */
  readonly canonicalContent?: Buffer;
  /** From the call to the last byte of the response. Absent: `limits.federationTimeoutMs`. */
  readonly timeoutMs?: number;
  /** Absent: `limits.federationResponseBytesMax`. */
  readonly responseBytesMax?: number;
  readonly signal?: AbortSignal;
  /** A person waits for it: it is tried although the destination is backing off. */
  readonly isUrgent?: boolean;
}

export interface FederationClient {
  /**
   * The response's JSON object, parsed with `numbers: 'exact'`. Throws FederationError.
   * https://spec.matrix.org/v1.19/server-server-api/#request-authentication
   */
  request(request: FederationRequest): Promise<JsonObject>;
  /** The bytes of a successful response, not looked at: for what is parsed in a worker, or is no JSON. */
  requestBytes(request: FederationRequest): Promise<FederationBytes>;
}

/** Answers that are too large for memory. */
export interface FederationStreams {
  /** A successful response, as soon as its headers are there. Throws FederationError. Somebody waits for it: it is tried although the destination is backing off. */
  stream(request: FederationStreamRequest): Promise<StreamedResponse>;
  /** To be told when the body turned out not to be what was asked for. */
  countUnusable(): void;
}
export interface FederationStreamRequest extends Pick<FederationRequest, 'destination' | 'path' | 'query' | 'signal'> {
  /** Whether our name stands for it. */
  readonly isSigned: boolean;
  /** From the call to the headers of the response. */
  readonly timeoutMs: number;
  /** Whether a status of 3xx is a response, too. */
  readonly takesRedirects?: boolean;
}

export interface FederationBytes {
  readonly contentType: string | undefined;
  readonly body: Buffer;
}

/** Keys of other servers, and our own. https://spec.matrix.org/v1.19/server-server-api/#retrieving-server-keys */
export interface KeyRing {
  /**
   * Loads keys, from memory, from the database, from the servers themselves or from notaries; many at once are one question
   * to each server. What could not be had is not found by the answer.
   */
  find(wanted: readonly WantedKey[]): Promise<FindServerKey>;
}
export interface WantedKey {
  readonly serverName: ServerName;
  readonly keyId: string;
  /**
   * Milliseconds since the Unix epoch: the key must have been valid then. undefined: any time will do, as in room versions
   * that do not enforce it.
   */
  readonly validAtTs: number | undefined;
}

/** Checks 1 to 3 of PDUs, with the keys that they need: off the main thread where there are many. */
export interface PduVerifier {
  /** Of one room. One outcome for each PDU, in the same order. PDUs were parsed with `numbers: 'exact'`. */
  verify(pdus: readonly JsonObject[], rules: RoomVersionRules): Promise<readonly ReceivedPdu[]>;
}

/** Reads states of rooms off the main thread. */
export interface StateOpener {
  /**
   * An answer to a question for the state before an event, whose bytes are given away. `known`: events that are not wanted.
   * Throws MatrixError M_BAD_JSON for what is no such answer.
   */
  openState(bytes: Buffer, rules: RoomVersionRules, known: readonly EventId[]): Promise<OpenedState>;
}
export interface OpenedState {
  /** Of the events, those of the auth chain first. */
  readonly count: number;
  /** Checks 1 to 3 of those from an index up to another one; of those alone that are wanted and are objects. */
  verify(from: number, to: number): Promise<readonly VerifiedPdu[]>;
  /** To be called once, when its events are not asked for any more. */
  close(): void;
}

/** Reads transactions off the main thread. https://spec.matrix.org/v1.19/server-server-api/#transactions */
export interface TransactionOpener {
  /**
   * Parses the body and checks who signed it; `confirm` is called. Throws MatrixError: 400 M_NOT_JSON or M_BAD_JSON for what is no
   * transaction, such as one with too many events, 401 M_UNAUTHORIZED for one that its origin did not sign.
   */
  open(body: UnverifiedBody): Promise<OpenedTransaction>;
}
export interface OpenedTransaction {
  readonly origin: ServerName;
  /** The events, by the rooms that they say they are of. Those that say nothing of a room are left out. */
  readonly rooms: ReadonlyMap<RoomId, RoomPdus>;
  /** Objects, otherwise as they came. */
  readonly edus: readonly JsonObject[];
  /** To be called once, when its events are not asked for any more. */
  close(): void;
}
/** The events of one room in a transaction, in the order in which they came. */
export interface RoomPdus {
  readonly count: number;
  /** undefined for an event whose id cannot be told. `rules` undefined: the room is not known. Nothing is verified. */
  eventIds(rules: RoomVersionRules | undefined): Promise<readonly (EventId | undefined)[]>;
  /** Checks 1 to 3. */
  verify(rules: RoomVersionRules): Promise<readonly VerifiedPdu[]>;
}
export interface VerifiedPdu {
  /** undefined: it cannot be told. */
  readonly eventId: EventId | undefined;
  readonly received: ReceivedPdu;
}
