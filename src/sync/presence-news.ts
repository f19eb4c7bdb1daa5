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
import type { RoomsContext } from '../rooms/context.ts';
import { serverOf } from '../rooms/context.ts';
import type { MembershipWake } from '../rooms/member-changes.ts';
import type { Commit } from '../storage/database.ts';
import { type RemoteContact, RemoteContacts } from './remote-contacts.ts';
import type { SyncPass } from './sync-request.ts';
import type { SyncUser, UserChange } from './sync-user.ts';
import type { SyncUsers } from './sync-users.ts';

const presenceChange: UserChange = { kind: 'presence', room: 0 };

/** Somebody whose presence is told. */
type Seen = Pick<RemoteContact, 'userNid'> & { readonly presence: Pick<RemoteContact['presence'], 'told'> };

export class PresenceNews implements PresenceAudience {
  readonly #users: SyncUsers;
  readonly #rooms: Pick<RoomsContext, 'names' | 'localServers'>;
  readonly #remote: RemoteContacts;
  /** Of changes up to here it is not known any more whether somebody missed them: earlier tokens begin anew. */
  #startPos: number;

  constructor(users: SyncUsers, rooms: Pick<RoomsContext, 'db' | 'names' | 'localServers'>) {
    this.#users = users;
    this.#rooms = rooms;
    this.#startPos = rooms.db.committedPos();
    const forgotten = (told: ToldPresence | undefined): void => {
      this.#startPos = Math.max(this.#startPos, told?.pos ?? 0);
    };
    this.#remote = new RemoteContacts(rooms.db, forgotten);
    users.onForgotten = ({ presence: { told } }) => forgotten(told);
  }

  async keep(userNid: number): Promise<void> {
    const userId = await this.#rooms.names.userId(userNid);
    if (this.#rooms.localServers.isLocal(serverOf(userId))) await this.#users.keep(userNid);
    else await this.#remote.keep(userNid);
  }
  release(userNid: number): void {
    if (this.#remote.isKept(userNid)) this.#remote.release(userNid);
    else this.#users.release(userNid);
  }
  reach(userNid: number): number {
    let reach = 0;
    if (this.#remote.isKept(userNid)) {
      for (const room of this.#remote.find(userNid)?.rooms.keys() ?? []) reach += this.#users.membersOf(room).size;
      return reach;
    }
    for (const { room, membership } of this.#users.find(userNid)?.rooms.values() ?? [])
      if (membership === 'join') reach += this.#users.membersOf(room).size - 1;
    return reach;
  }

  /** To be called for every commit, in order, when the users know of it. */
  onCommit({ wakes }: Commit): void {
    for (const wake of wakes) {
      if (wake.kind === 'presence') this.#changed(wake.userNid, wake.told);
      else if (wake.kind === 'membership' && wake.membership === 'join' && wake.previous !== 'join') this.#joined(wake);
      else if (wake.kind === 'remote-membership') this.#remoteChanged(wake);
    }
  }

  /** Whose presence a pass tells, the last change last. */
  newsOf({ user, since, now }: SyncPass): (readonly [Seen, ToldPresence])[] {
    const marked = since < this.#startPos ? undefined : user.presence.between(since, now);
    const others = marked === undefined ? this.#contacts(user, since) : this.#found(marked);
    const news: (readonly [Seen, ToldPresence])[] = [];
    for (const other of others) {
      const { told } = other.presence;
      // What changed after `now` is the next response's.
      if (told !== undefined && told.pos <= now) news.push([other, told]);
    }
    return news.sort(([, a], [, b]) => a.pos - b.pos);
  }

  #changed(userNid: number, told: ToldPresence): void {
    const contact = this.#remote.find(userNid);
    if (contact !== undefined) return this.#tellOf(contact, told, contact.rooms.keys());
    const user = this.#users.find(userNid);
    if (user === undefined) return;
    user.presence.told = told;
    for (const { room, membership } of user.rooms.values())
      if (membership === 'join')
        for (const other of this.#users.membersOf(room))
          if (other !== user && other.presence.mark(userNid, told.pos)) this.#users.wake(other, presenceChange);
  }

  #tellOf(contact: RemoteContact, told: ToldPresence, rooms: Iterable<number>, pos = told.pos): void {
    contact.presence.told = told;
    for (const room of rooms)
      for (const other of this.#users.membersOf(room))
        if (other.presence.mark(contact.userNid, pos)) this.#users.wake(other, presenceChange);
  }

  #remoteChanged({ userNid, room, membership, pos }: MembershipWake): void {
    this.#remote.membershipChanged(userNid, room, membership, pos);
    if (membership !== 'join' || !this.#remote.isKept(userNid)) return;
    const contact = this.#remote.find(userNid);
    const told = contact?.presence.told;
    if (contact !== undefined && told !== undefined) this.#tellOf(contact, told, [room], pos);
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
    const others = this.#remote.in(room);
    if (isCrowd || others.size > limits.presenceMarksMax / 2) user.presence.raiseFloor(pos);
    else for (const contact of others) user.presence.mark(contact.userNid, pos);
  }

  /** Of what came after the newest mark the reader is not told: they shared no room any more. */
  *#found(marks: ReadonlyMap<number, number>): Iterable<Seen> {
    for (const [userNid, pos] of marks) {
      const user: Seen | undefined = this.#remote.find(userNid) ?? this.#users.find(userNid);
      if (user?.presence.told !== undefined && user.presence.told.pos <= pos) yield user;
    }
  }

  /** Without marks: every contact is looked at, as for an initial sync. */
  #contacts(user: SyncUser, since: number): ReadonlySet<Seen> {
    const contacts = new Set<Seen>();
    const knew = since >= this.#startPos;
    for (const { room, membership, pos: joinedPos } of user.rooms.values()) {
      if (membership !== 'join') continue;
      for (const other of this.#users.membersOf(room)) {
        if (other === user || other.presence.told === undefined) continue;
        const isNewHere = joinedPos > since || (other.rooms.get(room)?.pos ?? 0) > since;
        const isNews = since >= 0 && other.presence.told.pos > since;
        if (isNews || (isPresent(other) && (!knew || isNewHere))) contacts.add(other);
      }
      for (const other of this.#remote.in(room)) {
        const { told } = other.presence;
        if (told === undefined) continue;
        const isNewHere = joinedPos > since || (other.rooms.get(room) ?? 0) > since;
        if ((since >= 0 && told.pos > since) || (isPresent(other) && (!knew || isNewHere))) contacts.add(other);
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

const isPresent = ({ presence: { told } }: Seen): boolean => told !== undefined && told.state !== 'offline';
