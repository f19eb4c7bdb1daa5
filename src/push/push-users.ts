/**
 * Users who have pushers, in memory, with the rooms that they have joined: whom an event may have to be pushed to is known
 * without a look at the room's members.
 */
import type { UserId } from '../matrix/ids/ids.ts';
import type { Commit, Database, Wake } from '../storage/database.ts';
import { joinedRoomsOfUsers, type PusherRow, pushersAfter, pushersOfUser } from '../storage/stores/pusher-store.ts';
import type { Queue } from './queue.ts';
import type { PushUser } from './push-user.ts';

/** By the kind of the pusher. */
export type MakeQueue = (user: PushUser, row: PusherRow, livePos: number) => Queue;

const pushersPerRead = 500;

export class PushUsers {
  readonly #db: Database;
  readonly #makeQueue: MakeQueue;
  readonly #users = new Map<number, PushUser>();
  readonly #byId = new Map<UserId, PushUser>();
  /** room → members with pushers. */
  readonly #members = new Map<number, Set<PushUser>>();
  /** Queues of pushers that are no more, while what they began has not ended. */
  readonly #closing = new Set<Promise<void>>();
  /** Changes of memberships while rooms are being read, for each reading. */
  readonly #missed = new Set<Wake[]>();

  constructor(db: Database, makeQueue: MakeQueue) {
    this.#db = db;
    this.#makeQueue = makeQueue;
  }

  get count(): number {
    return this.#users.size;
  }
  find(userNid: number): PushUser | undefined {
    return this.#users.get(userNid);
  }
  findById(userId: UserId): PushUser | undefined {
    return this.#byId.get(userId);
  }
  membersOf(room: number): ReadonlySet<PushUser> {
    return this.#members.get(room) ?? nobody;
  }
  queues(): Queue[] {
    return [...this.#users.values()].flatMap(({ queues }) => [...queues.values()]);
  }

  /** Resolves when those that are no more have ended what they were doing. */
  async ended(): Promise<void> {
    await Promise.all(this.#closing);
  }

  /** To be called for every commit, in order. */
  onCommit({ wakes }: Commit): void {
    if (this.#users.size === 0 && this.#missed.size === 0) return;
    for (const wake of wakes) {
      if (wake.kind !== 'membership') continue;
      for (const missed of this.#missed) missed.push(wake);
      this.#follow(wake);
    }
  }

  /** All pushers that there are; gives them. To be called once. */
  async loadAll(): Promise<Queue[]> {
    const queues: Queue[] = [];
    for (let after = 0; ;) {
      const rows = await this.#db.all(pushersAfter, { after, limit: pushersPerRead });
      queues.push(...(await this.#take(rows)));
      const last = rows.at(-1);
      if (last === undefined || rows.length < pushersPerRead) return queues;
      after = last.pusher;
    }
  }

  /** The pushers of one user as they are now. Gives those that are new; who has none left is forgotten. */
  async reload(userNid: number): Promise<Queue[]> {
    const rows = await this.#db.all(pushersOfUser, { user: userNid });
    const user = this.#users.get(userNid);
    const kept = new Set(rows.map((row) => row.pusher));
    for (const queue of user?.queues.values() ?? [])
      if (!kept.has(queue.id)) {
        user?.queues.delete(queue.id);
        const closing = queue.close().finally(() => this.#closing.delete(closing));
        this.#closing.add(closing);
      }
    const added = await this.#take(rows);
    if (rows.length === 0 && user !== undefined) this.#forget(user);
    return added;
  }

  async #take(rows: readonly PusherRow[]): Promise<Queue[]> {
    const strangers = new Set(rows.map((row) => row.user_nid).filter((nid) => !this.#users.has(nid)));
    const missed: Wake[] = [];
    this.#missed.add(missed);
    const users = [...strangers];
    const joined = users.length === 0 ? [] : await this.#db.all(joinedRoomsOfUsers, { users });
    this.#missed.delete(missed);
    const added: Queue[] = [];
    for (const row of rows) {
      const user = this.#users.get(row.user_nid) ?? this.#add(row);
      const known = user.queues.get(row.pusher);
      known?.update(row);
      if (known !== undefined) continue;
      const queue = this.#makeQueue(user, row, this.#db.committedPos());
      user.queues.set(row.pusher, queue);
      added.push(queue);
    }
    for (const { user_nid: userNid, room, pos } of joined) this.#join(userNid, room, pos);
    for (const wake of missed) this.#follow(wake);
    return added;
  }

  #add(row: PusherRow): PushUser {
    const user: PushUser = {
      userNid: row.user_nid,
      userId: row.user_id as UserId,
      queues: new Map(),
      rooms: new Map(),
    };
    this.#users.set(user.userNid, user);
    this.#byId.set(user.userId, user);
    return user;
  }

  #forget(user: PushUser): void {
    if (user.queues.size > 0) return;
    this.#users.delete(user.userNid);
    this.#byId.delete(user.userId);
    for (const room of user.rooms.keys()) this.#leave(user, room);
  }

  #follow(wake: Wake): void {
    if (wake.kind !== 'membership') return;
    const user = this.#users.get(wake.userNid);
    if (user === undefined) return;
    if (wake.membership === 'join') this.#join(wake.userNid, wake.room, wake.pos);
    else this.#leave(user, wake.room);
  }

  /** A changed profile is no new membership. */
  #join(userNid: number, room: number, pos: number): void {
    const user = this.#users.get(userNid);
    if (user === undefined || user.rooms.has(room)) return;
    user.rooms.set(room, pos);
    const members = this.#members.get(room);
    if (members === undefined) this.#members.set(room, new Set([user]));
    else members.add(user);
  }

  #leave(user: PushUser, room: number): void {
    user.rooms.delete(room);
    const members = this.#members.get(room);
    members?.delete(user);
    if (members?.size === 0) this.#members.delete(room);
  }
}

const nobody: ReadonlySet<PushUser> = new Set();
