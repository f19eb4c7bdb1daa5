/**
 * `device_lists` of a response: whose keys changed among those who share a room with the reader, who shares one newly, and
 * who shares none any more. A change is told to each user who syncs once, as a mark in memory, so that a response without
 * such news costs nothing; whose token is older than the marks gets their answer from the database. More users than needed
 * may be named, never fewer. https://spec.matrix.org/v1.19/client-server-api/#e2e-extensions-to-sync
 */
import { KeyOwners } from '../encryption/key-owners.ts';
import type { UserId } from '../matrix/ids/ids.ts';
import { limits } from '../platform/limits.ts';
import type { RoomsContext } from '../rooms/context.ts';
import type { MembershipWake } from '../rooms/member-changes.ts';
import { loadVisibility } from '../rooms/visibility.ts';
import type { Commit } from '../storage/database.ts';
import { joinedRoomsOf } from '../storage/stores/member-room-store.ts';
import { joinedServers } from '../storage/stores/outgoing-store.ts';
import { signaturesOfOthers } from '../storage/stores/cross-signing-store.ts';
import {
  deviceChangesSeenBy,
  memberChangesIn,
  memberChangesSeenBy,
  membersElsewhere,
  membersWithKeys,
  membersWithKeysSince,
  sharingWith,
} from '../storage/stores/device-change-store.ts';
import type { SyncUser } from './sync-user.ts';
import type { SyncUsers } from './sync-users.ts';

export interface DeviceLists {
  readonly changed: readonly UserId[];
  readonly left: readonly UserId[];
}

export interface DeviceListNewsOptions {
  /** Runs a function after what is being done now. */
  readonly soon: (run: () => void) => void;
  /** Rows of one read. */
  readonly changesPerRead?: number;
}

/** (since, until] */
interface Interval {
  readonly since: number;
  readonly until: number;
}

export class DeviceListNews {
  readonly #users: SyncUsers;
  readonly #rooms: RoomsContext;
  readonly #owners: KeyOwners;
  readonly #locals: () => Promise<readonly number[]>;
  #localNids: Promise<readonly number[]> | undefined;
  readonly #soon: DeviceListNewsOptions['soon'];
  readonly #changesPerRead: number;
  /** Changes of users whose rooms are being looked up. */
  readonly #pending = new Set<Promise<void>>();
  /** Of changes up to here it is not known whom they concern. */
  #lostPos = -1;

  constructor(users: SyncUsers, rooms: RoomsContext, options: DeviceListNewsOptions) {
    this.#users = users;
    this.#soon = options.soon;
    this.#changesPerRead = options.changesPerRead ?? changesPerRead;
    this.#rooms = rooms;
    const { names, localServers } = rooms;
    this.#locals = () => (this.#localNids ??= names.serverNids(localServers.names()));
    this.#owners = new KeyOwners(rooms.db, this.#locals);
  }

  close(): void {
    this.#owners.close();
  }

  /** To be called for every commit, in order, when the users know of it. */
  onCommit({ wakes }: Commit): void {
    let moves: MembershipWake[] | undefined;
    for (const wake of wakes) {
      if (wake.kind === 'device-list') this.#listChanged(wake.userNid, wake.pos);
      else if (wake.kind === 'remote-device-list') this.#remoteListChanged(wake.userNid, wake.pos);
      else if (wake.kind === 'user-signatures') this.#signed(wake.userNid, wake.signed, wake.pos);
      else if (wake.kind === 'membership') this.#membershipChanged(wake);
      else if (wake.kind === 'remote-membership' && isMove(wake)) (moves ??= []).push(wake);
    }
    if (moves !== undefined) this.#remoteMoves(moves);
  }

  /** What a user is to be told between two positions; `since` is not negative. Reads nothing where nothing happened. */
  async newsOf(user: SyncUser, interval: Interval): Promise<DeviceLists> {
    if (this.#pending.size > 0) await Promise.all(this.#pending);
    const { since } = interval;
    const isKnown = since >= this.#lostPos && user.deviceLists.isKnownAfter(since);
    if (isKnown && !user.deviceLists.hasAnyAfter(since)) return nobody;
    const news = isKnown ? await this.#marked(user, interval) : await this.#stored(user, since);
    return this.#sorted(user, news);
  }

  #listChanged(userNid: number, pos: number): void {
    const user = this.#users.find(userNid);
    if (user !== undefined) return this.#tell(user, pos);
    this.#untilTold(
      this.#users.hold(userNid, async (loaded) => this.#tell(loaded, pos)),
      pos,
    );
  }

  /** Of a user of another server, whose rooms are looked up. */
  #remoteListChanged(userNid: number, pos: number): void {
    const tell = async (): Promise<void> => {
      const limit = limits.remoteContactRoomsMax;
      const rooms = await this.#rooms.db.all(joinedRoomsOf, { user: userNid, limit });
      for (const { room } of rooms)
        for (const user of this.#users.membersOf(room)) this.#mark(user, 'changed', userNid, pos);
      if (rooms.length === limit) this.#lost(pos);
    };
    this.#untilTold(tell(), pos);
  }

  /** Nobody is answered until it is known whom a change concerns; where that cannot be found out, the database is asked. */
  #untilTold(work: Promise<void>, pos: number): void {
    const told: Promise<void> = work.catch(() => this.#lost(pos)).finally(() => this.#pending.delete(told));
    this.#pending.add(told);
  }

  #lost(pos: number): void {
    this.#lostPos = Math.max(this.#lostPos, pos);
  }

  /** To those who share a room, and to the user's other devices. */
  #tell(user: SyncUser, pos: number): void {
    const { userNid } = user;
    this.#mark(user, 'changed', userNid, pos);
    for (const { room, membership } of user.rooms.values()) {
      if (membership !== 'join') continue;
      for (const other of this.#users.membersOf(room)) if (other !== user) this.#mark(other, 'changed', userNid, pos);
    }
  }

  #signed(userNid: number, signed: readonly number[], pos: number): void {
    const user = this.#users.find(userNid);
    if (user !== undefined) for (const other of signed) this.#mark(user, 'changed', other, pos);
  }

  #membershipChanged({ userNid, room, membership, previous, pos }: MembershipWake): void {
    const [isIn, wasIn] = [membership === 'join', previous === 'join'];
    if (isIn === wasIn) return;
    const user = this.#users.find(userNid);
    if (user !== undefined) this.#mark(user, isIn ? 'entered' : 'quit', room, pos);
    for (const other of this.#users.membersOf(room))
      if (other !== user) this.#mark(other, isIn ? 'met' : 'parted', userNid, pos);
  }

  /** Of users of other servers. Where many move at once, as when somebody of ours is the first in a room, the room is told of. */
  #remoteMoves(moves: readonly MembershipWake[]): void {
    for (const [room, some] of Map.groupBy(moves, (wake) => wake.room)) {
      const members = this.#users.membersOf(room);
      if (members.size === 0) continue;
      if (some.length <= limits.deviceListMovesMax) {
        for (const { userNid, membership, pos } of some)
          for (const user of members) this.#mark(user, membership === 'join' ? 'met' : 'parted', userNid, pos);
      } else if (some.every(({ membership }) => membership === 'join')) {
        for (const user of members) this.#mark(user, 'entered', room, some[0]!.pos);
      } else this.#lost(some[0]!.pos);
    }
  }

  #mark(user: SyncUser, kind: Parameters<SyncUser['deviceLists']['mark']>[0], nid: number, pos: number): void {
    user.deviceLists.mark(kind, nid, pos);
    this.#users.wake(user);
  }

  async #marked(user: SyncUser, { since, until }: Interval): Promise<Candidates> {
    const [changed, parted] = [new Set<number>(), new Set<number>()];
    const rooms: RoomMark[] = [];
    for (const { kind, nid, pos } of user.deviceLists.between(since, until)) {
      if (kind === 'parted') parted.add(nid);
      else if (kind === 'entered' || kind === 'quit')
        rooms.push({ room: nid, quitPos: kind === 'quit' ? pos : undefined });
      else changed.add(nid);
    }
    const news = {
      changed: new Set(await this.#owners.among(changed)),
      parted: new Set(await this.#owners.among(parted)),
    };
    await this.#addMembers(user, news, rooms);
    return news;
  }

  async #stored(user: SyncUser, since: number): Promise<Candidates> {
    const { db } = this.#rooms;
    const changed = new Set<number>();
    for (let after = since; ;) {
      const rows = await db.all(deviceChangesSeenBy, { user: user.userNid, after, limit: this.#changesPerRead });
      for (const row of rows) if (row.is_seen === 1) changed.add(row.user_nid);
      if (rows.length < this.#changesPerRead) break;
      after = rows.at(-1)!.pos;
      await this.#turn();
    }
    for (const row of await db.all(signaturesOfOthers, { signer: user.userNid, after: since }))
      changed.add(row.user_nid);
    const parted = new Set<number>();
    const moves = await this.#ownMoves(user, since);
    for await (const userNid of this.#movedAround(user, since, moves))
      if (userNid !== user.userNid) {
        changed.add(userNid);
        parted.add(userNid);
      }
    const news = { changed, parted };
    await this.#addMembers(user, news, moves);
    return news;
  }

  /** Who has keys and came to or left a room while the user was in it, or changed otherwise in it; some again and again. */
  async *#movedAround(user: SyncUser, since: number, moves: readonly RoomMark[]): AsyncGenerator<number> {
    const wish = { user: user.userNid, after: since, limit: this.#changesPerRead, locals: await this.#locals() };
    const rows = await this.#rooms.db.all(memberChangesSeenBy, wish);
    if (rows.length < this.#changesPerRead) {
      for (const { user_nid: userNid } of rows) if (userNid !== null) yield userNid;
    } else {
      for (const { room, membership } of user.rooms.values())
        if (membership === 'join') yield* this.#movedIn(room, since, Number.MAX_SAFE_INTEGER);
    }
    for (const { room, quitPos } of moves) if (quitPos !== undefined) yield* this.#movedIn(room, since, quitPos);
  }

  /** Of one room, in (since, until]. However much that is, others come in between. */
  async *#movedIn(room: number, since: number, until: number): AsyncGenerator<number> {
    let after = since;
    const locals = await this.#locals();
    for (let limit = this.#changesPerRead; ;) {
      const rows = await this.#rooms.db.all(memberChangesIn, { room, after, until, limit, locals });
      for (const { user_nid: userNid } of rows) if (userNid !== null) yield userNid;
      if (rows.length < limit) return;
      // The last position may have more rows than were read, and is read again.
      const before = rows.at(-1)!.pos - 1;
      if (before > after) after = before;
      else limit *= 2;
      await this.#turn();
    }
  }

  #turn(): Promise<void> {
    return new Promise((resolve) => this.#soon(resolve));
  }

  /** The rooms that the user came into or left after a position. */
  async #ownMoves(user: SyncUser, since: number): Promise<RoomMark[]> {
    const moves: RoomMark[] = [];
    const [userId] = await this.#rooms.names.userIds([user.userNid]);
    for (const { room, membership, pos } of user.rooms.values()) {
      if (pos <= since) continue;
      if (membership === 'join') moves.push({ room, quitPos: undefined });
      else {
        const { memberships } = await loadVisibility(this.#rooms, room, userId ?? '');
        const lastJoin = memberships.findLastIndex(({ value }) => value === 'join');
        const quitPos = lastJoin < 0 ? undefined : memberships[lastJoin + 1]?.pos;
        if (quitPos !== undefined && quitPos > since) moves.push({ room, quitPos });
      }
    }
    return moves;
  }

  /** Of rooms that were entered, everybody; of rooms that were left, those who had been there with the user. */
  async #addMembers(user: SyncUser, { changed, parted }: Candidates, rooms: readonly RoomMark[]): Promise<void> {
    const { db } = this.#rooms;
    for (const { room, quitPos } of rooms) {
      const members = await (quitPos === undefined
        ? db.all(membersWithKeys, { room })
        : db.all(membersWithKeysSince, { room, pos: quitPos }));
      const named = quitPos === undefined ? changed : parted;
      for (const { user_nid: userNid } of members) if (userNid !== user.userNid) named.add(userNid);
      const elsewhere = await this.#membersElsewhere(room);
      for (const { user_nid: userNid } of elsewhere) named.add(userNid);
      // As other servers do: the user's own keys are new to those.
      if (quitPos === undefined && elsewhere.length > 0) named.add(user.userNid);
    }
  }

  /** Of other servers: they may have keys of which nothing is known here. */
  async #membersElsewhere(room: number): Promise<readonly { readonly user_nid: number }[]> {
    const { db } = this.#rooms;
    const locals = await this.#locals();
    const servers = await db.all(joinedServers, { room });
    if (servers.every((row) => locals.includes(row.server_nid))) return [];
    return db.all(membersElsewhere, { room, locals, limit: limits.deviceListStrangersMax });
  }

  /** Who parted and shares another room is not gone. */
  async #sorted(user: SyncUser, { changed, parted }: Candidates): Promise<DeviceLists> {
    const sharing = new Set<number>();
    const others = [...parted];
    for (let i = 0; i < others.length; i += usersPerRead) {
      const wish = { user: user.userNid, others: others.slice(i, i + usersPerRead) };
      for (const row of await this.#rooms.db.all(sharingWith, wish)) sharing.add(row.user_nid);
    }
    const left = others.filter((userNid) => !sharing.has(userNid));
    for (const userNid of left) changed.delete(userNid);
    const { names } = this.#rooms;
    return { changed: await names.userIds([...changed]), left: await names.userIds(left) };
  }
}

interface Candidates {
  readonly changed: Set<number>;
  /** Some of them may share another room. */
  readonly parted: Set<number>;
}
interface RoomMark {
  readonly room: number;
  /** undefined: the room was entered. */
  readonly quitPos: number | undefined;
}

const isMove = ({ membership, previous }: MembershipWake): boolean => (membership === 'join') !== (previous === 'join');

const nobody: DeviceLists = { changed: [], left: [] };
const changesPerRead = 1_000;
const usersPerRead = 1_000;
