/** Rooms, as endpoints and other parts of the server use them. */
import { forbidden, MatrixError } from '../matrix/errors.ts';
import type { RoomAlias, RoomId, ServerName, UserId } from '../matrix/ids/ids.ts';
import { isRoomAlias } from '../matrix/ids/room-id.ts';
import type { JsonObject } from '../matrix/json/json-value.ts';
import type { RoomVersionRules } from '../matrix/room-versions/rules.ts';
import { findRoomVersion } from '../matrix/room-versions/table.ts';
import { KeyedLock } from '../platform/keyed-lock.ts';
import type { Timers } from '../platform/ports.ts';
import { userRooms } from '../storage/stores/membership-store.ts';
import * as membership from './change-membership.ts';
import { ClientTransactions } from './client-transactions.ts';
import { type Actor, type RoomsContext, serverOf } from './context.ts';
import { createRoom } from './create-room.ts';
import { encryptionType } from './encryption-policy.ts';
import { forgetRoom } from './forget-room.ts';
import { findEventByTime } from './event-by-time.ts';
import { openJoinedRoom } from './membership.ts';
import * as aliases from './directory/aliases.ts';
import * as directory from './directory/public-rooms.ts';
import { PublishedRooms } from './directory/published-rooms.ts';
import { GuestDepartures } from './guest-departures.ts';
import { spaceHierarchy } from './hierarchy/space-hierarchy.ts';
import { summariseRoom } from './hierarchy/summarise-room.ts';
import { mutualRooms } from './mutual-rooms.ts';
import * as reading from './read-state.ts';
import { PartialRooms } from './partial-rooms.ts';
import { purgeHistory } from './purge-history.ts';
import * as timeline from './read-timeline.ts';
import * as receipts from './receipts.ts';
import { WaitingRedactions } from './waiting-redactions.ts';
import { KnownRelations } from './relations/known-relations.ts';
import { readSnapshot } from './room-snapshot.ts';
import { readRelations } from './relations/read-relations.ts';
import { readThreads } from './relations/read-threads.ts';
import { isResident } from './residence.ts';
import * as reports from './reports.ts';
import * as sending from './send-event.ts';
import * as threadSubscriptions from './thread-subscriptions.ts';
import { tieExtremities } from './tie-extremities.ts';
import { expireTransactions } from './transaction-expiry.ts';
import { MainLines } from './state/main-lines.ts';
import { OtherKeys } from './state/other-keys.ts';
import { StateReader } from './state/state-reader.ts';
import { upgradeRoom } from './upgrade/upgrade-room.ts';
import { Typing } from './typing.ts';

export type Rooms = ReturnType<typeof createRooms>;
export interface RoomsOptions {
  readonly timers: Timers;
  /** The room version of rooms whose creator names none. */
  readonly defaultRoomVersion: string;
  /** Told of work in the background that failed. */
  readonly onFailed: (error: unknown) => void;
}

export function createRoomsContext(
  parts: Omit<
    RoomsContext,
    | 'states'
    | 'otherKeys'
    | 'locks'
    | 'aliasLocks'
    | 'transactions'
    | 'relations'
    | 'waitingRedactions'
    | 'partialRooms'
  >,
): RoomsContext {
  return {
    ...parts,
    states: new StateReader(parts.db, parts.names, new MainLines(parts.db)),
    otherKeys: new OtherKeys(parts.db, parts.names),
    locks: new KeyedLock<RoomId>(),
    aliasLocks: new KeyedLock<RoomAlias>(),
    transactions: new ClientTransactions(parts.db),
    relations: new KnownRelations(parts.db),
    waitingRedactions: new WaitingRedactions(parts.db),
    partialRooms: new PartialRooms(parts.db, parts.names),
  };
}

export function createRooms(ctx: RoomsContext, options: RoomsOptions) {
  const typing = new Typing(ctx.db, options.timers);
  const published = new PublishedRooms(ctx, options.timers);
  const stopExpiry = expireTransactions(ctx, options.timers);
  const guestDepartures = new GuestDepartures(ctx, options.onFailed);
  const stopTying = tieExtremities(ctx, options);
  return {
    ...bindAll(ctx, operations),
    typing,
    guestDepartures,
    publicRooms: (query: directory.PublicRoomsQuery) => directory.listPublicRooms(ctx, published, query),
    async setTyping(actor: Actor, roomId: RoomId, timeoutMs: number | undefined): Promise<void> {
      const dag = await openJoinedRoom(ctx, actor.userId, roomId);
      typing.set(dag.room, actor.userId, timeoutMs);
    },
    /** Whether what is said in the room is encrypted. */
    async isEncrypted(room: number): Promise<boolean> {
      const dag = await ctx.dags.openByNid(room);
      return (await dag.currentEvent(encryptionType, '')) !== undefined;
    },
    /** Throws M_FORBIDDEN; of users of other servers also where nobody of ours is in the room, since they may have left it long ago. */
    async assertJoined(userId: UserId, roomId: RoomId): Promise<void> {
      const { room } = await openJoinedRoom(ctx, userId, roomId);
      if (!ctx.localServers.isLocal(serverOf(userId)) && !(await isResident(ctx, room)))
        throw forbidden('This server is not in the room');
    },
    async joinedRooms(actor: Actor): Promise<RoomId[]> {
      return roomsWith(ctx, actor.userNid, ['join']);
    },
    /** Throws M_UNSUPPORTED_ROOM_VERSION. Absent: the configured default. */
    roomVersion(version: string | undefined): RoomVersionRules {
      const rules = findRoomVersion(version ?? options.defaultRoomVersion);
      if (rules === undefined)
        throw new MatrixError(400, 'M_UNSUPPORTED_ROOM_VERSION', `Room version ${version} is not supported here`);
      return rules;
    },
    /** The alias of the user's own server with this local part; undefined: it cannot be one. */
    localAlias(actor: Actor, localpart: string): RoomAlias | undefined {
      const alias = `#${localpart}:${serverOf(actor.userId)}`;
      return isRoomAlias(alias) && localpart !== '' && !localpart.includes(':') ? alias : undefined;
    },
    /** Throws M_NOT_FOUND for an alias that leads nowhere. */
    async resolveRoom(idOrAlias: RoomId | RoomAlias): Promise<RoomId> {
      return (await locateRoom(ctx, idOrAlias)).roomId;
    },
    /** The same, with the servers that know the room, where an alias names it. */
    locateRoom: (idOrAlias: RoomId | RoomAlias): Promise<LocatedRoom> => locateRoom(ctx, idOrAlias),
    /** A changed profile becomes one membership event in every joined room; a room that refuses it keeps no other from it. */
    async profileChanged(userId: UserId, profile: JsonObject): Promise<void> {
      const userNid = await ctx.names.userNid(userId);
      const rooms = await roomsWith(ctx, userNid, ['join']);
      const outcomes = await Promise.allSettled(
        rooms.map((roomId) => membership.updateMemberProfile(ctx, userId, roomId, profile)),
      );
      throwUnlessRefused(outcomes);
    },
    /** Leaves every room and rejects every invite, as at the end of an account. Safe to repeat. */
    async leaveAllRooms(userId: UserId): Promise<void> {
      const actor = { userId, userNid: await ctx.names.userNid(userId), deviceNid: 0 };
      const rooms = await roomsWith(ctx, actor.userNid, ['join', 'invite', 'knock']);
      const outcomes = await Promise.allSettled(
        rooms.map((roomId) => membership.leaveRoom(ctx, actor, { roomId, isDeparture: true })),
      );
      throwUnlessRefused(outcomes);
    },
    close(): void {
      typing.close();
      ctx.partialRooms.close();
      published.close();
      stopExpiry();
      stopTying();
      guestDepartures.close();
    },
  };
}

export interface LocatedRoom {
  readonly roomId: RoomId;
  readonly servers: readonly ServerName[];
}

async function locateRoom(ctx: RoomsContext, idOrAlias: RoomId | RoomAlias): Promise<LocatedRoom> {
  if (idOrAlias.startsWith('!')) return { roomId: idOrAlias as RoomId, servers: [] };
  const { room_id: roomId, servers } = await aliases.resolveAlias(ctx, idOrAlias as RoomAlias);
  return { roomId, servers };
}

const operations = {
  createRoom,
  upgradeRoom,
  setAlias: aliases.setAlias,
  resolveAlias: aliases.resolveAlias,
  resolveLocalAlias: aliases.resolveLocalAlias,
  deleteAlias: aliases.deleteAlias,
  localAliases: aliases.localAliases,
  spaceHierarchy,
  roomSummary: summariseRoom,
  mutualRooms,
  directoryVisibility: directory.directoryVisibility,
  setDirectoryVisibility: directory.setDirectoryVisibility,
  sendMessage: sending.sendMessage,
  sendState: sending.sendState,
  redactEvent: sending.redactEvent,
  inviteUser: membership.inviteUser,
  joinRoom: membership.joinRoom,
  knockRoom: membership.knockRoom,
  leaveRoom: membership.leaveRoom,
  forgetRoom,
  kickUser: membership.kickUser,
  banUser: membership.banUser,
  unbanUser: membership.unbanUser,
  setReceipt: receipts.setReceipt,
  setReadMarkers: receipts.setReadMarkers,
  state: reading.readState,
  stateEvent: reading.readStateEvent,
  members: reading.readMembers,
  joinedMembers: reading.readJoinedMembers,
  messages: timeline.readMessages,
  reportRoom: reports.reportRoom,
  reportEvent: reports.reportEvent,
  event: timeline.readEvent,
  eventAnywhere: timeline.readEventAnywhere,
  snapshot: readSnapshot,
  context: timeline.readContext,
  eventByTime: findEventByTime,
  relations: readRelations,
  threads: readThreads,
  threadSubscription: threadSubscriptions.getThreadSubscription,
  subscribeToThread: threadSubscriptions.subscribeToThread,
  unsubscribeFromThread: threadSubscriptions.unsubscribeFromThread,
  threadSubscriptionsPage: threadSubscriptions.threadSubscriptionsPage,
  purgeHistory,
};

async function roomsWith(ctx: RoomsContext, user: number, memberships: readonly string[]): Promise<RoomId[]> {
  const rows = await ctx.db.all(userRooms, { user });
  const dags = await Promise.all(
    rows.filter((row) => memberships.includes(row.membership)).map((row) => ctx.dags.openByNid(row.room)),
  );
  return dags.map((dag) => dag.roomId);
}

/** What the rules of a room refuse is that room's business; anything else is a failure. */
function throwUnlessRefused(outcomes: readonly PromiseSettledResult<unknown>[]): void {
  const failed = outcomes.find((outcome) => outcome.status === 'rejected' && !(outcome.reason instanceof MatrixError));
  if (failed?.status === 'rejected') throw failed.reason;
}

type Bound<F> = F extends (ctx: RoomsContext, ...args: infer A) => infer R ? (...args: A) => R : never;

/** The functions of this folder take the context first; outside nobody needs to know it. */
function bindAll<T extends Record<string, (ctx: RoomsContext, ...args: never[]) => unknown>>(
  ctx: RoomsContext,
  functions: T,
): { readonly [K in keyof T]: Bound<T[K]> } {
  const bound = Object.entries(functions).map(([name, run]) => [name, (...args: never[]) => run(ctx, ...args)]);
  return Object.fromEntries(bound) as { readonly [K in keyof T]: Bound<T[K]> };
}
