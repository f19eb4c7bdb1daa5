/**
 * How much is unread in all rooms of a user together, and how far they have read: the same counts that /sync tells, for push.
 * https://spec.matrix.org/v1.19/push-gateway-api/#post_matrixpushv1notify
 */
import type { UserId } from '../matrix/ids/ids.ts';
import { KeyedLock } from '../platform/keyed-lock.ts';
import { Lru } from '../platform/lru.ts';
import type { Commit } from '../storage/database.ts';
import { roomsBeyondMarker } from '../storage/stores/membership-store.ts';
import { readUpTo } from '../storage/stores/receipt-store.ts';
import { inviterOf } from './ignored-senders.ts';
import type { SyncContext } from './sync-request.ts';
import type { RoomNews, SyncUser } from './sync-user.ts';
import { readOrdIn } from './thread-counts.ts';
import { placesOf, unreadCounts } from './unread-counts.ts';

interface Owner {
  readonly userId: UserId;
  readonly userNid: number;
}

/** What counts are made of and is in no room, or changes how events of the past count. */
const kinds: ReadonlySet<string> = new Set(['push-rules', 'ignored-users', 'invite-permission', 'thread-subscription']);

/** Up to which place somebody has read in a room, by the thread (`mainThread`, or its root's event id). */
export type ReadOrds = (thread: string) => number;

export class Badges {
  readonly #ctx: SyncContext;
  readonly #known = new Lru<number, Badge>({ sizeMax: usersMax });
  readonly #locks = new KeyedLock<number>();
  /** Grows when something changed that counts are made of and that is in no room. */
  #version = 0;

  constructor(ctx: SyncContext) {
    this.#ctx = ctx;
  }

  /** To be called for every commit. */
  onCommit({ wakes }: Commit): void {
    for (const wake of wakes) {
      if (!('userNid' in wake) || !kinds.has(wake.kind)) continue;
      this.#version++;
      this.#known.delete(wake.userNid);
    }
  }

  /** Notifications in joined rooms, and invites. After the first time it looks only at rooms that have changed. */
  unreadOf(owner: Owner): Promise<number> {
    return this.#locks.run(owner.userNid, () =>
      this.#ctx.users.hold(owner.userNid, (user) => this.#refresh(owner, user)),
    );
  }

  async readOrds({ userNid }: Pick<Owner, 'userNid'>, room: number): Promise<ReadOrds> {
    const places = placesOf(await this.#ctx.rooms.db.all(readUpTo, { user: userNid, room }));
    return (thread) => readOrdIn(places, thread);
  }

  async #refresh(owner: Owner, user: SyncUser): Promise<number> {
    const before = this.#known.find(owner.userNid);
    const badge = before ?? { pos: -1, unread: 0, rooms: new Map<number, number>() };
    const version = this.#version;
    const now = this.#ctx.rooms.db.committedPos();
    const news = user.newsAfter(badge.pos, before === undefined);
    const stale =
      before === undefined ? await this.#unreadIn(user, news) : news.filter((room) => mayCount(room, badge));
    const ignored = await this.#ctx.rooms.ignored.of(owner);
    for (const { standing } of stale) {
      const { room, membership } = standing;
      const reader = { userId: owner.userId, user, ignored };
      let count = 0;
      if (membership === 'join') {
        const dag = await this.#ctx.rooms.dags.openByNid(room);
        count = (await unreadCounts(this.#ctx, reader, dag, now, false)).room.notification;
      } else if (membership === 'invite') {
        const inviter = await inviterOf(this.#ctx.rooms, owner, room);
        const permission = await this.#ctx.rooms.invitePermissions.of(owner);
        const isWanted = inviter === undefined || (!ignored.has(inviter) && permission.decide(inviter) === 'allow');
        count = isWanted ? 1 : 0;
      }
      badge.unread += count - (badge.rooms.get(room) ?? 0);
      if (count === 0) badge.rooms.delete(room);
      else badge.rooms.set(room, count);
    }
    badge.pos = now;
    if (version === this.#version) this.#known.set(owner.userNid, badge);
    else this.#known.delete(owner.userNid);
    return badge.unread;
  }

  /** Most rooms of most people are read: those are not looked at one by one. */
  async #unreadIn(user: SyncUser, all: readonly RoomNews[]): Promise<readonly RoomNews[]> {
    const rows = await this.#ctx.rooms.db.all(roomsBeyondMarker, { user: user.userNid });
    const rooms = new Set(rows.map((row) => row.room));
    return all.filter(({ standing }) => standing.membership === 'invite' || rooms.has(standing.room));
  }
}

interface Badge {
  pos: number;
  /** The sum of `rooms`. */
  unread: number;
  readonly rooms: Map<number, number>;
}

const usersMax = 20_000;

/** Typing and account data count for nothing. */
function mayCount({ change }: RoomNews, { pos }: Badge): boolean {
  return change === undefined || change.eventPos > pos || change.receiptPos > pos;
}
