/**
 * Local users who sync, kept up to date by commits, so that a parked request costs nothing per room, and a new one finds what
 * changed without asking every room.
 */
import type { Commit, Database, Wake } from '../storage/database.ts';
import { isNewStanding, type MembershipWake } from '../rooms/member-changes.ts';
import { everybody } from '../rooms/mentions.ts';
import { userRooms } from '../storage/stores/membership-store.ts';
import { type ChangeKind, type RoomStanding, SyncUser, type UserChange } from './sync-user.ts';

/** Those whom no request holds are forgotten beyond this number; their next request reads their rooms anew. */
const idleUsersMax = 20_000;
/** Woken in one turn of the event loop. */
const wakesPerTurn = 256;

export interface SyncUsersOptions {
  /** Runs a function after what is being done now. */
  readonly soon: (run: () => void) => void;
  readonly idleUsersMax?: number;
}

export class SyncUsers {
  readonly #db: Database;
  readonly #soon: (run: () => void) => void;
  readonly #idleUsersMax: number;
  readonly #users = new Map<number, SyncUser>();
  /** Those of `#users` whom no request holds, the one that was held last at the end. */
  readonly #idle = new Set<SyncUser>();
  readonly #loading = new Map<number, Loading>();
  /** room → those of our users who are joined, and whom its changes reach. */
  readonly #members = new Map<number, Set<SyncUser>>();
  readonly #woken = new Set<SyncUser>();
  /** Told of those who are remembered no longer. */
  onForgotten: (user: SyncUser) => void = () => {};

  constructor(db: Database, options: SyncUsersOptions) {
    this.#db = db;
    this.#soon = options.soon;
    this.#idleUsersMax = options.idleUsersMax ?? idleUsersMax;
  }

  /** The user is kept up to date for as long as `work` runs. */
  async hold<T>(userNid: number, work: (user: SyncUser) => Promise<T>): Promise<T> {
    const user = await this.#acquire(userNid);
    try {
      return await work(user);
    } finally {
      this.#letGo(user);
    }
  }

  #letGo(user: SyncUser): void {
    user.holders--;
    if (user.holders === 0) this.#rest(user);
  }

  /** The user is kept up to date until `release`. */
  async keep(userNid: number): Promise<void> {
    await this.#acquire(userNid);
  }
  release(userNid: number): void {
    const user = this.#users.get(userNid);
    if (user !== undefined) this.#letGo(user);
  }

  /** Of those who are remembered. */
  find(userNid: number): SyncUser | undefined {
    return this.#users.get(userNid);
  }
  /** Those who are remembered and joined. */
  membersOf(room: number): ReadonlySet<SyncUser> {
    return this.#members.get(room) ?? nobody;
  }

  async #acquire(userNid: number): Promise<SyncUser> {
    for (;;) {
      const user = this.#users.get(userNid);
      if (user !== undefined) {
        user.holders++;
        this.#idle.delete(user);
        return user;
      }
      // Whoever waits for the same user may be called first, and the user may be gone again by the next turn.
      await (this.#loading.get(userNid)?.loaded ?? this.#load(userNid));
    }
  }

  #rest(user: SyncUser): void {
    this.#idle.add(user);
    if (this.#idle.size <= this.#idleUsersMax) return;
    for (const oldest of this.#idle) {
      this.#forget(oldest);
      break;
    }
  }

  #forget(user: SyncUser): void {
    this.#idle.delete(user);
    this.#users.delete(user.userNid);
    for (const standing of user.rooms.values()) this.#unfollow(user, standing.room);
    this.onForgotten(user);
  }

  #load(userNid: number): Promise<void> {
    const loading: Loading = { missed: [], loaded: Promise.resolve() };
    loading.loaded = this.#read(userNid, loading).finally(() => this.#loading.delete(userNid));
    this.#loading.set(userNid, loading);
    return loading.loaded;
  }

  async #read(userNid: number, loading: Loading): Promise<void> {
    const pos = this.#db.committedPos();
    const rows = await this.#db.all(userRooms, { user: userNid });
    // A row may be on disk before its commit was told; until it is, nobody knows what came before it in that room.
    if (rows.some((row) => row.pos > this.#db.committedPos())) await this.#db.drained();
    const user = new SyncUser(userNid, rows, pos);
    this.#users.set(userNid, user);
    this.#idle.add(user);
    for (const standing of user.rooms.values()) this.#follow(user, standing);
    for (const wake of loading.missed) this.#applyTo(user, wake);
    user.presence.raiseFloor(this.#db.committedPos());
    user.deviceLists.raiseFloor(this.#db.committedPos());
  }

  /** To be called for every commit, in order. */
  onCommit(commit: Commit): void {
    for (const wake of commit.wakes) {
      for (const { missed } of this.#loading.values()) missed.push(wake);
      this.#apply(wake);
    }
  }

  #apply(wake: Wake): void {
    switch (wake.kind) {
      case 'event':
        this.#countsChanged(wake.room, wake.senderNid, wake.mentioned);
        return this.#changed(wake.room, 'eventPos', wake.pos);
      case 'rejudged':
        return this.#changed(wake.room, 'eventPos', wake.pos);
      case 'typing':
        return this.#changed(wake.room, 'typingPos', wake.pos);
      case 'receipt':
        if (!wake.isPrivate) this.#changed(wake.room, 'receiptPos', wake.pos);
        break;
      default:
        break;
    }
    if (!('userNid' in wake)) return;
    const user = this.#users.get(wake.userNid);
    if (user !== undefined) this.#applyOwn(user, wake);
  }

  /** What came while the user was being read. */
  #applyTo(user: SyncUser, wake: Wake): void {
    const isMember = 'room' in wake && user.rooms.get(wake.room)?.membership === 'join';
    if ((wake.kind === 'event' || wake.kind === 'rejudged') && isMember)
      this.#roomChanged(user, wake.room, 'eventPos', wake.pos);
    else if (wake.kind === 'typing' && isMember) this.#roomChanged(user, wake.room, 'typingPos', wake.pos);
    else if (wake.kind === 'receipt' && isMember && !wake.isPrivate)
      this.#roomChanged(user, wake.room, 'receiptPos', wake.pos);
    if ('userNid' in wake && wake.userNid === user.userNid) this.#applyOwn(user, wake);
  }

  /** What concerns one user alone. */
  #applyOwn(user: SyncUser, wake: Wake): void {
    switch (wake.kind) {
      case 'receipt':
        user.forgetMarker(wake.room);
        return this.#roomChanged(user, wake.room, 'receiptPos', wake.pos);
      case 'account-data':
        user.accountDataChanged(wake.room, wake.pos);
        return this.wake(user, { kind: 'accountDataPos', room: wake.room });
      case 'to-device':
        return this.wake(user, { kind: 'toDevice', room: 0, deviceNid: wake.deviceNid });
      case 'key-claimed':
        user.keyClaimed(wake.deviceNid, wake.pos);
        return this.wake(user, { kind: 'keyClaimed', room: 0, deviceNid: wake.deviceNid });
      case 'thread-subscription':
        user.forgetMarker(wake.room);
        return this.wake(user, { kind: 'threads', room: wake.room });
      case 'push-rules':
        return user.forgetAllMarkers();
      case 'ignored-users':
        user.follower?.ignoredChanged();
        return user.forgetAllMarkers();
      case 'access':
        user.sessionsVersion++;
        return this.wake(user, { kind: 'access', room: 0 });
      case 'membership':
        return this.#membershipChanged(user, wake);
      case 'forgotten':
        return user.forgetRoom(wake.room);
      default:
        return undefined;
    }
  }

  #membershipChanged(user: SyncUser, wake: MembershipWake): void {
    const { room, membership, pos } = wake;
    const before = user.rooms.get(room);
    const isForgotten = before?.isForgotten === true && !isKnownAgain(membership);
    const since = isNewStanding(wake) && !isForgotten ? pos : (before?.pos ?? pos);
    const standing = { room, membership, pos: since, isForgotten };
    user.setStanding(standing);
    user.forgetMarker(room);
    this.#follow(user, standing);
    this.#roomChanged(user, room, 'eventPos', pos);
  }

  #countsChanged(room: number, senderNid: number, mentioned: readonly number[]): void {
    this.#users.get(senderNid)?.forgetMarker(room);
    for (const userNid of mentioned) {
      if (userNid === everybody) for (const user of this.#members.get(room) ?? []) user.forgetMarker(room);
      else this.#users.get(userNid)?.forgetMarker(room);
    }
  }

  #changed(room: number, kind: ChangeKind, pos: number): void {
    for (const user of this.#members.get(room) ?? []) this.#roomChanged(user, room, kind, pos);
  }

  #roomChanged(user: SyncUser, room: number, kind: ChangeKind, pos: number): void {
    user.changed(room, kind, pos);
    this.wake(user, { kind, room });
  }

  /** Only members are told of what happens in a room from now on. */
  #follow(user: SyncUser, { room, membership }: RoomStanding): void {
    if (membership !== 'join') return this.#unfollow(user, room);
    const members = this.#members.get(room);
    if (members === undefined) this.#members.set(room, new Set([user]));
    else members.add(user);
  }

  #unfollow(user: SyncUser, room: number): void {
    const members = this.#members.get(room);
    members?.delete(user);
    if (members?.size === 0) this.#members.delete(room);
  }

  /** Many changes in one turn of the event loop wake a request once, and many requests do not keep others from their turn. */
  wake(user: SyncUser, change: UserChange = otherChange): void {
    if (!user.isAwaited(change)) return;
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
}

/** Whether a room that was forgotten is remembered again with this membership. */
const isKnownAgain = (membership: string): boolean => membership !== 'leave' && membership !== 'ban';
const nobody: ReadonlySet<SyncUser> = new Set();
const otherChange: UserChange = { kind: 'other', room: 0 };

interface Loading {
  readonly missed: Wake[];
  loaded: Promise<void>;
}
