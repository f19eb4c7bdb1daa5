/**
 * `presence` of a response: changes of those who share a room with the reader. A change is told to each connected user once,
 * as a mark in memory; a response looks at its marks, not at the reader's contacts.
 * https://spec.matrix.org/v1.19/client-server-api/#presence
 */
import { matchesEventFilter } from '../matrix/filters/matches-filter.ts';
import type { UserId } from '../matrix/ids/ids.ts';
import { presenceContent } from '../presence/index.ts';
import type { PresenceAudience } from '../presence/announcer.ts';
import type { ToldPresence } from '../presence/presence-state.ts';
import { limits } from '../platform/limits.ts';
import type { Commit } from '../storage/database.ts';
import type { MembershipWake } from '../rooms/member-changes.ts';
import type { SyncPass } from './sync-request.ts';
import type { SyncUser, UserChange } from './sync-user.ts';
import type { SyncUsers } from './sync-users.ts';

const presenceChange: UserChange = { kind: 'presence', room: 0 };

export class PresenceNews implements PresenceAudience {
  readonly #users: SyncUsers;
  /** Of changes up to here it is not known any more whether somebody missed them: earlier tokens begin anew. */
  #startPos: number;

  constructor(users: SyncUsers, startPos: number) {
    this.#users = users;
    this.#startPos = startPos;
    users.onForgotten = ({ presence: { told } }) => (this.#startPos = Math.max(this.#startPos, told?.pos ?? 0));
  }

  keep(userNid: number): Promise<void> {
    return this.#users.keep(userNid);
  }
  release(userNid: number): void {
    this.#users.release(userNid);
  }
  reach(userNid: number): number {
    let reach = 0;
    for (const { room, membership } of this.#users.find(userNid)?.rooms.values() ?? [])
      if (membership === 'join') reach += this.#users.membersOf(room).size - 1;
    return reach;
  }

  /** To be called for every commit, in order, when the users know of it. */
  onCommit({ wakes }: Commit): void {
    for (const wake of wakes) {
      if (wake.kind === 'presence') this.#changed(wake.userNid, wake.told);
      else if (wake.kind === 'membership' && wake.membership === 'join' && wake.previous !== 'join') this.#joined(wake);
    }
  }

  /** Whose presence a pass tells, the last change last. */
  newsOf({ user, since, now }: SyncPass): (readonly [SyncUser, ToldPresence])[] {
    const marked = since < this.#startPos ? undefined : user.presence.between(since, now);
    const others = marked === undefined ? this.#contacts(user, since) : this.#found(marked);
    const news: (readonly [SyncUser, ToldPresence])[] = [];
    for (const other of others) {
      const { told } = other.presence;
      // What changed after `now` is the next response's.
      if (told !== undefined && told.pos <= now) news.push([other, told]);
    }
    return news.sort(([, a], [, b]) => a.pos - b.pos);
  }

  #changed(userNid: number, told: ToldPresence): void {
    const user = this.#users.find(userNid);
    if (user === undefined) return;
    user.presence.told = told;
    for (const { room, membership } of user.rooms.values())
      if (membership === 'join')
        for (const other of this.#users.membersOf(room))
          if (other !== user && other.presence.mark(userNid, told.pos)) this.#users.wake(other, presenceChange);
  }

  /**
   * Who comes into a room and those who are there see each other from now on, also that somebody has gone, which whoever was
   * away did not hear. Whoever waits is woken by the event.
   */
  #joined({ userNid, room, pos }: MembershipWake): void {
    const user = this.#users.find(userNid);
    if (user === undefined) return;
    const members = this.#users.membersOf(room);
    const isCrowd = members.size > limits.presenceMarksMax / 2;
    if (isCrowd) user.presence.raiseFloor(pos);
    const isSeen = isCrowd ? isPresent(user) : user.presence.told !== undefined;
    if (!isSeen && isCrowd) return;
    for (const other of members) {
      if (other === user) continue;
      if (isSeen) other.presence.mark(userNid, pos);
      if (!isCrowd && other.presence.told !== undefined) user.presence.mark(other.userNid, pos);
    }
  }

  /** Of what came after the newest mark the reader is not told: they shared no room any more. */
  *#found(marks: ReadonlyMap<number, number>): Iterable<SyncUser> {
    for (const [userNid, pos] of marks) {
      const user = this.#users.find(userNid);
      if (user?.presence.told !== undefined && user.presence.told.pos <= pos) yield user;
    }
  }

  /** Without marks: every contact is looked at, as for an initial sync. */
  #contacts(user: SyncUser, since: number): ReadonlySet<SyncUser> {
    const contacts = new Set<SyncUser>();
    const knew = since >= this.#startPos;
    for (const { room, membership, pos: joinedPos } of user.rooms.values()) {
      if (membership !== 'join') continue;
      for (const other of this.#users.membersOf(room)) {
        if (other === user || other.presence.told === undefined) continue;
        const isNewHere = joinedPos > since || (other.rooms.get(room)?.pos ?? 0) > since;
        const isNews = since >= 0 && other.presence.told.pos > since;
        if (isNews || (isPresent(other) && (!knew || isNewHere))) contacts.add(other);
      }
    }
    return contacts;
  }
}

/** `presence.events`. */
export async function presenceEvents(pass: SyncPass): Promise<readonly string[]> {
  const { ctx, request } = pass;
  const news = ctx.presence?.newsOf(pass) ?? [];
  if (news.length === 0) return [];
  const { presence: filter } = request.filter;
  const senders = await ctx.rooms.names.userIds(news.map(([{ userNid }]) => userNid));
  const events: string[] = [];
  for (const [index, [, told]] of news.entries()) {
    const event = presenceEvent(senders[index], told, ctx.rooms.clock.monotonicMs());
    if (matchesEventFilter(filter, event)) events.push(JSON.stringify(event));
  }
  return filter.limit === undefined ? events : events.slice(Math.max(0, events.length - filter.limit));
}

function presenceEvent(sender: UserId | undefined, told: ToldPresence, nowMs: number) {
  if (sender === undefined) throw new Error('a user has an id');
  return { type: 'm.presence', sender, content: presenceContent(told, told.activity, nowMs) };
}

const isPresent = ({ presence: { told } }: SyncUser): boolean => told !== undefined && told.state !== 'offline';
