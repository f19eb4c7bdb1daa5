/** What the functions of rooms/ work with; made once by `createRooms`. */
import type { RoomAlias, RoomId, ServerName, UserId } from '../matrix/ids/ids.ts';
import type { KeyedLock } from '../platform/keyed-lock.ts';
import type { LocalServers } from '../platform/local-servers.ts';
import type { Clock, Random } from '../platform/ports.ts';
import type { Database } from '../storage/database.ts';
import type { Names } from '../storage/names.ts';
import type { Signer } from './build-event.ts';
import type { ClientTransactions } from './client-transactions.ts';
import type { RoomDags } from './dag/contract.ts';
import type { EncryptByDefault } from './encryption-policy.ts';
import type {
  Erasures,
  IgnoredSenders,
  InvitePermissions,
  Members,
  RemoteAliases,
  RemoteHistory,
  PolicyServers,
  RemoteMemberships,
  RemoteSpaces,
  FederationRights,
  RoomFiles,
} from './ports.ts';
import type { PartialRooms } from './partial-rooms.ts';
import type { KnownRelations } from './relations/known-relations.ts';
import type { OtherKeys } from './state/other-keys.ts';
import type { WaitingRedactions } from './waiting-redactions.ts';
import type { StateReader } from './state/state-reader.ts';

export interface RoomsContext {
  readonly db: Database;
  readonly names: Names;
  readonly dags: RoomDags;
  /** The state of rooms at any committed position. */
  readonly states: StateReader;
  /** Of the state of rooms, what is no membership. */
  readonly otherKeys: OtherKeys;
  /** One at a time per room: everything that writes to a room's DAG holds its room's lock. */
  readonly locks: KeyedLock<RoomId>;
  /** One at a time per alias: whoever takes or removes it. Taken before a room's lock, never within it. */
  readonly aliasLocks: KeyedLock<RoomAlias>;
  readonly transactions: ClientTransactions;
  readonly relations: KnownRelations;
  readonly waitingRedactions: WaitingRedactions;
  readonly partialRooms: PartialRooms;
  readonly localServers: LocalServers;
  readonly members: Members;
  readonly ignored: IgnoredSenders;
  readonly invitePermissions: InvitePermissions;
  readonly remoteMemberships: RemoteMemberships;
  readonly remoteAliases: RemoteAliases;
  readonly remoteSpaces: RemoteSpaces;
  readonly policyServers: PolicyServers;
  readonly erasures: Erasures;
  /** undefined: rooms may have any files. */
  readonly roomFiles?: RoomFiles | undefined;
  readonly remoteHistory: RemoteHistory;
  /** undefined: everybody may have to do with other servers. */
  readonly federationRights?: FederationRights | undefined;
  readonly encryptByDefault: EncryptByDefault;
  readonly clock: Clock;
  readonly random: Random;
}

/** Who does something in a room, and the device whose transaction id makes a retry harmless. */
export interface Actor {
  readonly userId: UserId;
  readonly userNid: number;
  readonly deviceNid: number;
  /** Administrators of the server may change its directory as if every room were theirs. */
  readonly isAdmin?: boolean;
  /** Guests join only rooms that let guests in. */
  readonly isGuest?: boolean;
}

/** https://spec.matrix.org/v1.19/client-server-api/#transaction-identifiers */
export interface ClientTransaction {
  readonly deviceNid: number;
  /** The endpoint's path without the transaction id. */
  readonly path: string;
  readonly txnId: string;
}

export function serverOf(userId: UserId): ServerName {
  return userId.slice(userId.indexOf(':') + 1) as ServerName;
}

/** The user's server signs what they send. */
export function signerFor(ctx: RoomsContext, userId: UserId): Signer {
  const serverName = serverOf(userId);
  return { serverName, key: ctx.localServers.signingKeyOf(serverName) };
}

/** 144 random bits in URL-safe unpadded base64. */
export function randomOpaqueId(random: Random): string {
  return random.bytes(18).toString('base64url');
}
