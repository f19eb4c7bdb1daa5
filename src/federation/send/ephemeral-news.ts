/**
 * Who of ours types, what they have read, and how they are: told to the servers that share a room with them, as it is then. Nothing
 * of it outlasts a restart. https://spec.matrix.org/v1.19/server-server-api/#edus
 */
import type { RoomId, ServerName, UserId } from '../../matrix/ids/ids.ts';
import { limits } from '../../platform/limits.ts';
import type { TimerHandle } from '../../platform/ports.ts';
import { serverOf } from '../../rooms/context.ts';
import { unthreaded } from '../../rooms/receipts.ts';
import type { Wake } from '../../storage/database.ts';
import { serversSharingRooms } from '../../storage/stores/outgoing-store.ts';
import { joinedUsersAmong, serverJoinedIn } from '../../storage/stores/room-server-store.ts';
import type { Destinations } from './destinations.ts';
import type { EphemeralQueue } from './ephemeral-queue.ts';
import type { RoomServers, ServersOfRoom } from './room-servers.ts';
import type { SenderDependencies } from './sender-dependencies.ts';

export interface EphemeralNewsParts extends SenderDependencies {
  readonly roomServers: Pick<RoomServers, 'use'>;
  readonly destinations: Pick<Destinations, 'of'>;
  readonly locals: readonly number[];
}

/** Changes of presence that wait for their user's servers to be looked up; more are not told. */
const presencesMax = 10_000;
/** More that come within a moment are not told. */
const newcomersMax = 1_000;

export class EphemeralNews {
  readonly #parts: EphemeralNewsParts;
  /** Who was told to be typing, by room. */
  readonly #typing = new Map<number, ReadonlySet<UserId>>();
  #typingTimer: TimerHandle | undefined;
  readonly #presences = new Set<number>();
  #isTellingPresence = false;
  /** Servers whose users came into a room lately, as "room server", until they are told who is there. */
  readonly #newcomers = new Map<string, TimerHandle>();
  #isClosed = false;

  constructor(parts: EphemeralNewsParts) {
    this.#parts = parts;
  }

  hear(wake: Wake): void {
    if (wake.kind === 'typing') this.#typingChanged(wake.room);
    else if (wake.kind === 'outgoing-receipt') this.#read(wake);
    else if (wake.kind === 'presence') this.#presenceChanged(wake.userNid);
  }

  /** An event of a room says that its sender is in it now. */
  memberJoined(room: number, userId: UserId, userNid: number): void {
    if (this.#isLocal(userId)) this.#presentIn(room, userId, userNid);
    else this.#welcomeLater(room, serverOf(userId));
  }

  close(): void {
    this.#isClosed = true;
    this.#typingTimer?.cancel();
    for (const timer of this.#newcomers.values()) timer.cancel();
  }

  #typingChanged(room: number): void {
    const now = new Set(this.#parts.typing.current(room).filter((userId) => this.#isLocal(userId)));
    const before = this.#typing.get(room) ?? new Set();
    if (now.size > 0) this.#typing.set(room, now);
    else this.#typing.delete(room);
    const stopped = [...before.difference(now)].map((userId) => ({ userId, isTyping: false }));
    const began = [...now.difference(before)].map((userId) => ({ userId, isTyping: true }));
    this.#tellTyping(room, [...stopped, ...began]);
    if (now.size > 0)
      this.#typingTimer ??= this.#parts.timers.after(limits.federationTypingMs, () => this.#typingGoesOn());
  }

  #typingGoesOn(): void {
    this.#typingTimer = undefined;
    for (const [room, users] of this.#typing)
      this.#tellTyping(
        room,
        Array.from(users, (userId) => ({ userId, isTyping: true })),
      );
    if (this.#typing.size > 0)
      this.#typingTimer = this.#parts.timers.after(limits.federationTypingMs, () => this.#typingGoesOn());
  }

  #tellTyping(room: number, changes: readonly { readonly userId: UserId; readonly isTyping: boolean }[]): void {
    if (changes.length === 0) return;
    this.#parts.roomServers.use(room, (servers) => {
      if (servers.size === 0) return;
      this.#roomIdOf(room, (roomId) =>
        this.#tell(servers, (queue) => {
          for (const change of changes) queue.addTyping({ roomId, ...change });
        }),
      );
    });
  }

  #roomIdOf(room: number, use: (roomId: RoomId) => void): void {
    this.#parts.rooms.dags.openByNid(room).then(
      ({ roomId }) => use(roomId),
      (error: unknown) => this.#parts.onFailed(error),
    );
  }

  #read({ room, roomId, userId, threadId, eventId, ts }: Extract<Wake, { kind: 'outgoing-receipt' }>): void {
    const receipt = { roomId, userId, eventId, ts, threadId: threadId === unthreaded ? undefined : threadId };
    this.#parts.roomServers.use(room, (servers) => this.#tell(servers, (queue) => queue.addReceipt(receipt)));
  }

  #tell(servers: ServersOfRoom, add: (queue: EphemeralQueue) => void): void {
    if (this.#isClosed) return;
    for (const [serverNid, name] of servers) this.#parts.destinations.of(serverNid, name).tell(servers.size, add);
  }

  #presenceChanged(userNid: number): void {
    if (this.#presences.size < presencesMax) this.#presences.add(userNid);
    if (this.#isTellingPresence) return;
    this.#isTellingPresence = true;
    this.#tellPresences()
      .catch((error: unknown) => this.#parts.onFailed(error))
      .finally(() => (this.#isTellingPresence = false));
  }

  async #tellPresences(): Promise<void> {
    const { rooms, locals, presence, destinations } = this.#parts;
    for (const userNid of this.#presences) {
      this.#presences.delete(userNid);
      const userId = await rooms.names.userId(userNid);
      if (!this.#isLocal(userId)) continue;
      const rows = await rooms.db.all(serversSharingRooms, { user: userNid, locals });
      const nids = rows.map((row) => row.server_nid);
      const names = await rooms.names.serverNames(nids);
      if (this.#isClosed) return;
      const push = () => ({ user_id: userId, ...presence.contentOf(userNid) });
      for (const [at, nid] of nids.entries())
        destinations.of(nid, names[at]!).tell(nids.length, (queue) => queue.addPresence(userId, push));
    }
  }

  /** The servers in the room may not have known the user. */
  #presentIn(room: number, userId: UserId, userNid: number): void {
    const { presence, roomServers } = this.#parts;
    if (!presence.isPresent(userNid)) return;
    const push = () => ({ user_id: userId, ...presence.contentOf(userNid) });
    roomServers.use(room, (servers) => this.#tell(servers, (queue) => queue.addPresence(userId, push)));
  }

  /** Until it has the room, it would make nothing of what it is told. */
  #welcomeLater(room: number, server: ServerName): void {
    const key = `${room} ${server}`;
    if (this.#isClosed || this.#newcomers.has(key) || this.#newcomers.size >= newcomersMax) return;
    const timer = this.#parts.timers.after(limits.federationWelcomeMs, () => {
      this.#newcomers.delete(key);
      this.#welcome(room, server).catch((error: unknown) => this.#parts.onFailed(error));
    });
    this.#newcomers.set(key, timer);
  }

  /** A server with one user in the room has come with them; others have been told. */
  async #welcome(room: number, server: ServerName): Promise<void> {
    const { rooms, presence, destinations } = this.#parts;
    const serverNid = await rooms.names.serverNid(server);
    const row = await rooms.db.one(serverJoinedIn, { room, servers: [serverNid] });
    if (row?.joined !== 1) return;
    const present = presence.presentUsers(limits.federationWelcomePresencesMax);
    const joined = await rooms.db.all(joinedUsersAmong, { room, users: present });
    const users = joined.map((one) => one.user_nid);
    const userIds = await rooms.names.userIds(users);
    if (this.#isClosed) return;
    for (const [at, userNid] of users.entries()) {
      const userId = userIds[at]!;
      const push = () => ({ user_id: userId, ...presence.contentOf(userNid) });
      destinations.of(serverNid, server).tell(1, (queue) => queue.addPresence(userId, push));
    }
  }

  #isLocal(userId: UserId): boolean {
    return this.#parts.rooms.localServers.isLocal(serverOf(userId));
  }
}
