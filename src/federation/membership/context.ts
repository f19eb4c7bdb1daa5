/** What memberships across servers work with. */
import type { EventId, RoomId, ServerName } from '../../matrix/ids/ids.ts';
import type { JsonObject } from '../../matrix/json/json-value.ts';
import type { KeyedLock } from '../../platform/keyed-lock.ts';
import type { RoomsContext } from '../../rooms/context.ts';
import type { KeyValidity } from '../../rooms/ports.ts';
import type { FederationClient, KeyRing, PduVerifier } from '../contract.ts';
import type { LocalUsers } from '../ports.ts';

export interface MembershipContext {
  readonly rooms: RoomsContext;
  readonly client: FederationClient;
  readonly keys: KeyRing;
  readonly verifier: PduVerifier;
  readonly users: LocalUsers;
  readonly keyValidity: KeyValidity;
  /** One join through other servers at a time per room. Taken before a room's lock, never within it. */
  readonly joins: KeyedLock<RoomId>;
  /** Lets other work go on in the middle of a long answer. */
  readonly pause: () => Promise<void>;
  /** Memberships may come later than a join. */
  readonly joinsInPart: boolean;
  /** Gives events that we know by their ids alone their places in a room that we are in. What cannot be had is left out. */
  readonly fetchEvents: (server: ServerName, roomId: RoomId, eventIds: readonly EventId[]) => Promise<void>;
}

/** A membership event that is handed in, and what the request says of it. */
export interface HandedIn {
  readonly roomId: RoomId;
  readonly eventId: EventId;
  /** Parsed with exact numbers. */
  readonly pdu: JsonObject;
}
