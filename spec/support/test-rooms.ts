/** Rooms and sync over a real database, without accounts and HTTP. */
import { signingKeyFromSeed } from '../../src/matrix/crypto/ed25519.ts';
import { parseSyncFilter } from '../../src/matrix/filters/sync-filter.ts';
import type { RoomEvent } from '../../src/matrix/events/room-event.ts';
import type { EventId, RoomId, ServerName, UserId } from '../../src/matrix/ids/ids.ts';
import { localpartOf } from '../../src/matrix/ids/user-id.ts';
import type { JsonObject, JsonValue } from '../../src/matrix/json/json-value.ts';
import { LocalServers } from '../../src/platform/local-servers.ts';
import type { Ports } from '../../src/platform/ports.ts';
import type { Actor, RoomsContext } from '../../src/rooms/context.ts';
import { parseStreamPosition } from '../../src/rooms/pagination-token.ts';
import { createRoomDags } from '../../src/rooms/dag/room-dags.ts';
import {
  noPolicyServers,
  noRemoteAliases,
  noRemoteMemberships,
  noRemoteSpaces,
} from '../../src/rooms/no-remote-memberships.ts';
import { noRemoteHistory } from '../../src/rooms/no-remote-history.ts';
import type { MessagesRequest } from '../../src/rooms/read-timeline.ts';
import { findStoredEvent } from '../../src/rooms/stored-event.ts';
import { type Rooms, createRooms, createRoomsContext } from '../../src/rooms/index.ts';
import { setAccountData } from '../../src/accounts/account-data.ts';
import { deactivate } from '../../src/accounts/deactivation.ts';
import { ErasedUsers } from '../../src/accounts/erased-users.ts';
import { InvitePermissions } from '../../src/accounts/invite-permissions.ts';
import { IgnoredUsers } from '../../src/accounts/ignored-users.ts';
import { editPushRules, loadPushRules } from '../../src/accounts/push-rules.ts';
import { withCopiedSettings } from '../../src/accounts/room-settings.ts';
import { KeyedLock } from '../../src/platform/keyed-lock.ts';
import { DeviceInboxes } from '../../src/encryption/device-inboxes.ts';
import { KeyCounts } from '../../src/encryption/key-counts.ts';
import { Presence } from '../../src/presence/index.ts';
import type { PresenceState } from '../../src/presence/presence-state.ts';
import { CachedPushRules } from '../../src/sync/compiled-push-rules.ts';
import { type Sync, type SyncOptions, createSync } from '../../src/sync/index.ts';
import type { StateField } from '../../src/sync/sync-request.ts';
import type { CreateRoomRequest } from '../../src/rooms/create-room-events.ts';
import type { Database } from '../../src/storage/database.ts';
import { Names } from '../../src/storage/names.ts';
import { nobodyTold } from '../encryption/support/other-servers.ts';
import { insertAccount } from '../../src/storage/stores/account-store.ts';

export interface TestUser extends Actor {
  readonly profile: JsonObject;
}

export interface SyncAnswer {
  readonly next_batch: string;
  readonly rooms?: {
    readonly join?: Readonly<Record<string, JoinedRoom>>;
    readonly invite?: Readonly<Record<string, { invite_state: { events: readonly ClientEvent[] } }>>;
    readonly knock?: Readonly<Record<string, { knock_state: { events: readonly ClientEvent[] } }>>;
    readonly leave?: Readonly<Record<string, Pick<JoinedRoom, 'timeline' | 'state' | 'state_after'>>>;
  };
  readonly account_data?: { readonly events: readonly ClientEvent[] };
  readonly presence?: { readonly events: readonly PresenceEvent[] };
  readonly to_device?: { readonly events: readonly ToDeviceEvent[] };
  readonly device_lists?: { readonly changed: readonly UserId[]; readonly left: readonly UserId[] };
}
export interface ToDeviceEvent {
  readonly type: string;
  readonly sender: UserId;
  readonly content: JsonObject;
}
export interface PresenceEvent {
  readonly type: string;
  readonly sender: UserId;
  readonly content: JsonObject;
}
export interface SyncTestOptions {
  readonly filter?: JsonObject;
  readonly fullState?: boolean;
  readonly stateField?: StateField;
  readonly timeoutMs?: number;
  readonly setPresence?: PresenceState;
  readonly signal?: AbortSignal;
}
export interface JoinedRoom {
  readonly timeline: {
    readonly events: readonly ClientEvent[];
    readonly limited: boolean;
    readonly prev_batch: string;
  };
  readonly state: { readonly events: readonly ClientEvent[] };
  readonly state_after?: { readonly events: readonly ClientEvent[] };
  readonly ephemeral: { readonly events: readonly ClientEvent[] };
  readonly account_data: { readonly events: readonly ClientEvent[] };
  readonly unread_notifications: { readonly notification_count: number; readonly highlight_count: number };
  readonly unread_thread_notifications?: Readonly<Record<string, JoinedRoom['unread_notifications']>>;
  readonly summary?: JsonObject;
}
export interface ClientEvent {
  readonly type: string;
  readonly event_id: EventId;
  readonly sender: UserId;
  readonly state_key?: string;
  readonly room_id?: RoomId;
  readonly redacts?: EventId;
  readonly content: JsonObject;
  readonly unsigned?: JsonObject;
}

export interface MessagesPage {
  readonly chunk: readonly ClientEvent[];
  readonly start: string;
  readonly end?: string;
  readonly state?: readonly ClientEvent[];
}

/** What every answer of /sync says of a device without keys, beside its token. */
export const nothingNew: JsonObject = {
  device_one_time_keys_count: { signed_curve25519: 0 },
  device_unused_fallback_key_types: [],
};

const positionOf = (token: string): { since: number; toDeviceSince: number } => {
  const position = parseStreamPosition(token);
  if (position === undefined) throw new Error(`${token} is no token of /sync`);
  return { since: position.pos, toDeviceSince: position.toDevicePos };
};

/** What a client reads from the response. */
export function asSent<T>(value: JsonValue): T {
  return JSON.parse(JSON.stringify(value)) as T;
}

/** What nobody awaits must not fail. */
const onFailed = (error: unknown): never => {
  throw error;
};

export interface TestRoomsOptions {
  readonly serverNames?: readonly [string, ...string[]];
  readonly hotRoomsMax?: number;
  readonly encryptByDefault?: RoomsContext['encryptByDefault'];
  readonly roomFiles?: RoomsContext['roomFiles'];
  /** Absent: there are no other servers. */
  readonly remoteMemberships?: RoomsContext['remoteMemberships'];
  readonly remoteAliases?: RoomsContext['remoteAliases'];
  readonly remoteSpaces?: RoomsContext['remoteSpaces'];
  readonly remoteHistory?: RoomsContext['remoteHistory'];
  readonly sync?: Omit<SyncOptions, 'inboxes' | 'keyCounts' | 'onFailed'>;
  /** true: users who sync are seen online. */
  readonly hasPresence?: boolean;
}

/** That run whatever happens: old transactions are forgotten every hour. */
export const timersOfRooms = 1;

export class TestRooms {
  readonly ctx: RoomsContext;
  readonly rooms: Rooms;
  readonly presence: Presence;
  readonly inboxes: DeviceInboxes;
  readonly keyCounts: KeyCounts;
  readonly sync: Sync;
  /** To be loaded after `restarted` where somebody was erased before. */
  readonly erasedUsers: ErasedUsers;
  readonly #db: Database;
  readonly #userLocks = new KeyedLock<number>();
  readonly #users = new Map<UserId, TestUser>();
  readonly #ports: Ports;
  readonly #options: TestRoomsOptions;
  #devices = 0;

  constructor(db: Database, ports: Ports, options: TestRoomsOptions = {}) {
    const { serverNames = ['test'], hotRoomsMax = 2_000 } = options;
    this.#db = db;
    this.#ports = ports;
    this.#options = options;
    const names = new Names(db);
    this.erasedUsers = new ErasedUsers(db);
    const [first, ...others] = serverNames.map((name, i) => ({
      serverName: name as ServerName,
      signingKey: signingKeyFromSeed('ed25519:a_test', Buffer.alloc(32, i + 1)),
      oldSigningKeys: [],
    }));
    if (first === undefined) throw new Error('a server has a name');
    this.ctx = createRoomsContext({
      db,
      names,
      dags: createRoomDags(db, names, { hotRoomsMax }),
      localServers: new LocalServers([first, ...others]),
      erasures: this.erasedUsers,
      remoteHistory: options.remoteHistory ?? noRemoteHistory,
      members: {
        memberProfile: async (userId) => this.#users.get(userId)?.profile ?? {},
        withCopiedSettings: (...args) => withCopiedSettings({ db, locks: this.#userLocks }, ...args),
      },
      ignored: new IgnoredUsers(db),
      invitePermissions: new InvitePermissions(db, '@_server:test' as UserId),
      roomFiles: options.roomFiles,
      remoteMemberships: options.remoteMemberships ?? noRemoteMemberships,
      remoteAliases: options.remoteAliases ?? noRemoteAliases,
      remoteSpaces: options.remoteSpaces ?? noRemoteSpaces,
      policyServers: noPolicyServers,
      encryptByDefault: options.encryptByDefault ?? 'off',
      clock: ports.clock,
      random: ports.random,
    });
    this.rooms = createRooms(this.ctx, { timers: ports.timers, defaultRoomVersion: '12', onFailed });
    const pushRules = new CachedPushRules(db, (owner) => loadPushRules({ db }, owner));
    const { clock, timers } = ports;
    this.presence = new Presence({ db, names, clock, timers, isEnabled: options.hasPresence ?? false });
    this.inboxes = new DeviceInboxes(db);
    this.keyCounts = new KeyCounts(db);
    this.sync = createSync(this.ctx, this.rooms.typing, pushRules, timers, {
      onFailed,
      ...options.sync,
      inboxes: this.inboxes,
      keyCounts: this.keyCounts,
      presence: this.presence,
    });
  }

  /** The same users over the same database, as after a restart: nothing of this object may be used any more. */
  restarted(options: TestRoomsOptions = {}, db = this.#db): TestRooms {
    void this.presence.close();
    const closed = this.sync.close();
    // Where the database was opened anew it was closed under it, as in a crash.
    if (db !== this.#db) closed.catch(() => undefined);
    this.inboxes.close();
    this.keyCounts.close();
    this.rooms.close();
    this.erasedUsers.close();
    const restarted = new TestRooms(db, this.#ports, { ...this.#options, ...options });
    for (const [userId, user] of this.#users) restarted.#users.set(userId, user);
    restarted.#devices = this.#devices;
    return restarted;
  }

  async user(localpart: string, server = 'test'): Promise<TestUser> {
    const userId = `@${localpart}:${server}` as UserId;
    const user = {
      userId,
      userNid: await this.ctx.names.userNid(userId),
      deviceNid: ++this.#devices,
      profile: { displayname: localpart },
    };
    this.#users.set(userId, user);
    return user;
  }

  async createRoom(actor: Actor, request: Partial<CreateRoomRequest> = {}): Promise<RoomId> {
    const rules = this.rooms.roomVersion(request.roomVersion);
    const defaults: CreateRoomRequest = {
      visibility: 'private',
      preset: 'public_chat',
      roomVersion: rules.version,
      name: undefined,
      topic: undefined,
      alias: undefined,
      invite: [],
      isDirect: false,
      creationContent: {},
      initialState: [],
      powerLevelContentOverride: {},
      encryption: 'byDefault',
    };
    return this.rooms.createRoom(actor, { ...defaults, ...request }, rules);
  }

  async say(actor: Actor, roomId: RoomId, body: string, more: JsonObject = {}, txnId = body): Promise<EventId> {
    return this.rooms.sendMessage(actor, {
      roomId,
      type: 'm.room.message',
      content: { msgtype: 'm.text', body, ...more },
      transaction: { deviceNid: actor.deviceNid, path: `send/${roomId}`, txnId },
    });
  }

  /** A page of the timeline, as clients get it. */
  async history(actor: Actor, roomId: RoomId, request: Partial<MessagesRequest> = {}): Promise<MessagesPage> {
    return asSent<MessagesPage>(await this.rooms.messages(actor, roomId, { dir: 'b', limit: 100, ...request }));
  }
  async state(actor: Actor, roomId: RoomId): Promise<ClientEvent[]> {
    return asSent<ClientEvent[]>(await this.rooms.state(actor, roomId));
  }
  async event(actor: Actor, roomId: RoomId, eventId: EventId): Promise<ClientEvent> {
    return asSent<ClientEvent>(await this.rooms.event(actor, roomId, eventId));
  }
  /** Sends a state event. */
  async setState(
    actor: Actor,
    roomId: RoomId,
    type: string,
    content: JsonObject,
    stateKey: string = '',
  ): Promise<EventId> {
    return this.rooms.sendState(actor, { roomId, type, stateKey, content });
  }

  /** The end of a user's account. */
  async deactivate({ userId, userNid }: Actor, options: { readonly isErased: boolean }): Promise<void> {
    const [db, { clock }] = [this.#db, this.#ports];
    const account = { localpart: localpartOf(userId), kind: 'user', userType: null, passwordHash: null };
    await db.write((unit) => unit.run(insertAccount, { user: userNid, ...account, admin: 0, createdTs: clock.nowMs() }))
      .committed;
    const ctx = { db, locks: this.#userLocks, clock, departure: this.rooms, outgoingDevices: nobodyTold };
    await deactivate(ctx, { userId, userNid }, options);
  }
  /** Account data, of a room or global. */
  async setAccountData(owner: Actor, type: string, content: JsonObject, roomId?: RoomId): Promise<void> {
    const { userNid, userId } = owner;
    await setAccountData({ db: this.#db, locks: this.#userLocks }, { userNid, userId, roomId, type }, content);
  }
  async editPushRules(owner: Actor, edit: Parameters<typeof editPushRules>[2]): Promise<void> {
    await editPushRules({ db: this.#db, locks: this.#userLocks }, owner, edit);
  }

  /** The event as it lies in the database. */
  async storedEvent(eventId: EventId): Promise<RoomEvent> {
    const stored = await findStoredEvent(this.ctx, eventId);
    if (stored === undefined) throw new Error(`${eventId} is not in the database`);
    return stored.event;
  }

  async syncOnce(actor: Actor, since?: string, options: SyncTestOptions = {}): Promise<SyncAnswer> {
    return JSON.parse(await this.syncText(actor, since, options)) as SyncAnswer;
  }

  /** The same as it is sent. */
  syncText(actor: Actor, since?: string, options: SyncTestOptions = {}): Promise<string> {
    return this.sync.sync({
      requester: actor,
      ...(since === undefined ? { since: undefined } : positionOf(since)),
      fullState: options.fullState ?? false,
      stateField: options.stateField ?? 'state',
      setPresence: options.setPresence ?? 'online',
      filter: parseSyncFilter(options.filter ?? {}),
      timeoutMs: options.timeoutMs ?? 0,
      signal: options.signal ?? new AbortController().signal,
    });
  }

  /** Waits for news. */
  async syncWaiting(actor: Actor, since: string, options: SyncTestOptions = {}): Promise<SyncAnswer> {
    return this.syncOnce(actor, since, { timeoutMs: 30_000, ...options });
  }
}
