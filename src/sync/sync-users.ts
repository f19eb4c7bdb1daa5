/**
 * Local users who sync, the rooms they are in, and what changed there since when. Fed by commits, so that a parked request
 * costs nothing per room, and a new one finds what changed without asking every room.
 */
import type { Commit, Database, Wake } from '../storage/database.ts';
import { everybody } from '../rooms/mentions.ts';
import { type UserRoom, userRooms } from '../storage/stores/membership-store.ts';
import type { ReadMarker } from './unread-counts.ts';

/** How a user stands to a room: the row of user_room. */
export interface RoomStanding {
  readonly room: number;
  readonly membership: string;
  /** Since when the membership is what it is. */
  readonly pos: number;
}

/** Positions of the newest change of each kind; 0: none since the user was loaded. */
export interface RoomChange {
  pos: number;
  eventPos: number;
  receiptPos: number;
  typingPos: number;
  accountDataPos: number;
}

export class SyncUser {
  readonly userNid: number;
  readonly rooms = new Map<number, RoomStanding>();
  /** Rooms with changes, the one that changed last at the end. Complete for positions above `floorPos`. */
  readonly changes = new Map<number, RoomChange>();
  floorPos: number;
  /** Of the user's own global account data and the like. */
  globalPos: number;
  /** How far the user has read, per room; forgotten when that changes. */
  readonly markers = new Map<number, ReadMarker>();
  markersVersion = 0;
  readonly #waiting = new Set<() => void>();

  constructor(userNid: number, rows: readonly UserRoom[], pos: number) {
    this.userNid = userNid;
    this.floorPos = pos;
    this.globalPos = pos;
    for (const row of rows) if (row.forgotten === 0) this.rooms.set(row.room, row);
  }

  /** Rooms that changed after a position; undefined: that is too long ago to know. */
  changedAfter(pos: number): readonly number[] | undefined {
    if (pos < this.floorPos) return undefined;
    const rooms: number[] = [];
    for (const [room, change] of this.changes) if (change.pos > pos) rooms.push(room);
    return rooms;
  }

  changed(room: number, kind: Exclude<keyof RoomChange, 'pos'>, pos: number): void {
    const change = this.changes.get(room) ?? { pos, eventPos: 0, receiptPos: 0, typingPos: 0, accountDataPos: 0 };
    change.pos = pos;
    change[kind] = pos;
    this.changes.delete(room);
    this.changes.set(room, change);
    if (this.changes.size > changesMax) this.#forgetOlderHalf();
  }

  forgetMarker(room: number): void {
    this.markersVersion++;
    this.markers.delete(room);
  }

  forgetAllMarkers(): void {
    this.markersVersion++;
    this.markers.clear();
  }

  get isWaiting(): boolean {
    return this.#waiting.size > 0;
  }
  /** Called at the next change, at most once. The answer takes the call back. */
  onceChanged(run: () => void): () => void {
    this.#waiting.add(run);
    return () => this.#waiting.delete(run);
  }
  wake(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const run of waiting) run();
  }

  #forgetOlderHalf(): void {
    for (const [room, change] of this.changes) {
      if (this.changes.size <= changesMax / 2) break;
      this.changes.delete(room);
      this.floorPos = Math.max(this.floorPos, change.pos);
    }
  }
}

/** Of one user; enough for what changes between two requests. */
const changesMax = 512;

/** Those who do not wait are forgotten beyond this number; their next request reads their rooms anew. */
const idleUsersMax = 20_000;

export class SyncUsers {
  readonly #db: Database;
  readonly #users = new Map<number, SyncUser>();
  readonly #loading = new Map<number, Promise<SyncUser>>();
  /** Commits while somebody is loading, to be replayed on them. */
  readonly #sinceLoading = new Map<number, Commit[]>();
  /** room → those of our users who are joined or invited, and whose changes reach them. */
  readonly #members = new Map<number, Set<SyncUser>>();
  readonly #soon: (run: () => void) => void;
  readonly #woken = new Set<SyncUser>();

  constructor(db: Database, soon: (run: () => void) => void) {
    this.#db = db;
    this.#soon = soon;
  }

  async get(userNid: number): Promise<SyncUser> {
    const known = this.#users.get(userNid);
    if (known !== undefined) {
      // Most recently used last.
      this.#users.delete(userNid);
      this.#users.set(userNid, known);
      return known;
    }
    const loading = this.#loading.get(userNid) ?? this.#load(userNid);
    this.#loading.set(userNid, loading);
    return loading;
  }

  async #load(userNid: number): Promise<SyncUser> {
    const missed: Commit[] = [];
    this.#sinceLoading.set(userNid, missed);
    try {
      const pos = this.#db.committedPos();
      const rows = await this.#db.all(userRooms, { user: userNid });
      const user = new SyncUser(userNid, rows, pos);
      this.#users.set(userNid, user);
      for (const standing of user.rooms.values()) this.#follow(user, standing);
      for (const commit of missed) for (const wake of commit.wakes) this.#apply(wake, user);
      this.#forgetIdle();
      return user;
    } finally {
      this.#sinceLoading.delete(userNid);
      this.#loading.delete(userNid);
    }
  }

  /** To be called for every commit, in order. */
  onCommit(commit: Commit): void {
    for (const missed of this.#sinceLoading.values()) missed.push(commit);
    for (const wake of commit.wakes) this.#apply(wake, undefined);
  }

  /** `only`: replays for one user what came while they were loaded. */
  #apply(wake: Wake, only: SyncUser | undefined): void {
    switch (wake.kind) {
      case 'event':
        this.#countsChanged(wake.room, wake.senderNid, wake.mentioned);
        return this.#changed(wake.room, 'eventPos', wake.pos, only);
      case 'typing':
        return this.#changed(wake.room, 'typingPos', wake.pos, only);
      case 'receipt': {
        this.#users.get(wake.userNid)?.forgetMarker(wake.room);
        if (!wake.isPrivate) return this.#changed(wake.room, 'receiptPos', wake.pos, only);
        const user = this.#users.get(wake.userNid);
        return user && this.#roomChanged(user, wake.room, 'receiptPos', wake.pos);
      }
      case 'account-data': {
        const user = this.#users.get(wake.userNid);
        if (user === undefined) return undefined;
        if (wake.room !== 0) return this.#roomChanged(user, wake.room, 'accountDataPos', wake.pos);
        user.globalPos = wake.pos;
        return this.#wake(user);
      }
      case 'push-rules': {
        const user = this.#users.get(wake.userNid);
        user?.forgetAllMarkers();
        return undefined;
      }
      case 'membership': {
        const user = this.#users.get(wake.userNid);
        if (user === undefined) return undefined;
        const { room, membership, previous, pos } = wake;
        const since = membership === previous ? (user.rooms.get(room)?.pos ?? pos) : pos;
        const standing = { room, membership, pos: since };
        user.rooms.set(room, standing);
        user.forgetMarker(room);
        this.#follow(user, standing);
        return this.#roomChanged(user, room, 'eventPos', pos);
      }
      default:
        return undefined;
    }
  }

  #countsChanged(room: number, senderNid: number, mentioned: readonly number[]): void {
    this.#users.get(senderNid)?.forgetMarker(room);
    for (const userNid of mentioned) {
      if (userNid === everybody) for (const user of this.#members.get(room) ?? []) user.forgetMarker(room);
      else this.#users.get(userNid)?.forgetMarker(room);
    }
  }

  #changed(room: number, kind: Exclude<keyof RoomChange, 'pos'>, pos: number, only: SyncUser | undefined): void {
    const members = this.#members.get(room);
    if (members === undefined) return;
    if (only !== undefined) {
      if (members.has(only)) this.#roomChanged(only, room, kind, pos);
      return;
    }
    for (const user of members) this.#roomChanged(user, room, kind, pos);
  }

  #roomChanged(user: SyncUser, room: number, kind: Exclude<keyof RoomChange, 'pos'>, pos: number): void {
    user.changed(room, kind, pos);
    this.#wake(user);
  }

  /** Only members are told of what happens in a room from now on. */
  #follow(user: SyncUser, standing: RoomStanding): void {
    const members = this.#members.get(standing.room) ?? new Set();
    if (standing.membership === 'join') members.add(user);
    else members.delete(user);
    if (members.size > 0) this.#members.set(standing.room, members);
    else this.#members.delete(standing.room);
  }

  /** Many changes in one turn of the event loop wake a request once, and many requests do not keep others from their turn. */
  #wake(user: SyncUser): void {
    if (!user.isWaiting) return;
    if (this.#woken.size === 0) this.#soon(() => this.#flush());
    this.#woken.add(user);
  }
  #flush(): void {
    let count = 0;
    for (const user of this.#woken) {
      this.#woken.delete(user);
      user.wake();
      if (++count === wakesPerTurn) break;
    }
    if (this.#woken.size > 0) this.#soon(() => this.#flush());
  }

  #forgetIdle(): void {
    for (const user of this.#users.values()) {
      if (this.#users.size <= idleUsersMax) return;
      if (user.isWaiting) continue;
      this.#users.delete(user.userNid);
      for (const room of user.rooms.keys()) this.#follow(user, { room, membership: 'leave', pos: 0 });
    }
  }
}

const wakesPerTurn = 256;
