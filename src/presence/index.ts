/**
 * Presence: who is online, idle or away. Kept in memory, forgotten at a restart; every change that others see has a position
 * of the stream, so that sync finds it like everything else (docs/decisions/0012-presence.md).
 * https://spec.matrix.org/v1.19/client-server-api/#presence
 */
import { forbidden, invalidParam } from '../matrix/errors.ts';
import type { UserId } from '../matrix/ids/ids.ts';
import type { JsonObject } from '../matrix/json/json-value.ts';
import { limits } from '../platform/limits.ts';
import { Lru } from '../platform/lru.ts';
import type { Clock, TimerHandle, Timers } from '../platform/ports.ts';
import type { Database, Wake } from '../storage/database.ts';
import type { Names } from '../storage/names.ts';
import { joinedRoomsOf } from '../storage/stores/member-room-store.ts';
import { sharedRoom } from '../storage/stores/membership-store.ts';
import { Announcer, type PresenceAudience } from './announcer.ts';
import { LastConnected } from './last-connected.ts';
import {
  absent,
  type Activity,
  isSameVisible,
  type PresenceState,
  type SeenUser,
  type VisiblePresence,
} from './presence-state.ts';
import { PresentUser } from './present-user.ts';
import { RemoteUser } from './remote-user.ts';

export interface PresenceDependencies {
  readonly db: Database;
  readonly names: Pick<Names, 'findUserNid'>;
  readonly clock: Clock;
  readonly timers: Timers;
  /** false: nobody is ever seen online. */
  readonly isEnabled: boolean;
}

/** Whose presence it is, and on which device. */
export interface PresenceOwner {
  readonly userId: UserId;
  readonly userNid: number;
  readonly deviceNid: number;
}

interface Known<User extends SeenUser = SeenUser> {
  readonly user: User;
  /** As it was last handed in to be told; undefined: a process before this one told it. */
  told: VisiblePresence | undefined;
  check: TimerHandle | undefined;
}

/** What another server says of one of its users. */
export interface RemotePresence extends VisiblePresence {
  readonly userId: UserId;
  readonly lastActiveAgoMs: number;
}

/** Of who has gone. */
interface Absence {
  readonly activity: Activity;
  readonly statusMessage: string | undefined;
}

export class Presence {
  readonly #parts: PresenceDependencies;
  readonly #known = new Map<number, Known>();
  readonly #absences = new Lru<number, Absence>({ sizeMax: limits.presenceAbsencesMax });
  readonly #announcer: Announcer;
  readonly #lastConnected: LastConnected;
  readonly #unfollow: () => void;

  constructor(parts: PresenceDependencies) {
    this.#parts = parts;
    this.#announcer = new Announcer(parts.clock, parts.timers, (userNids) => this.#tell(userNids));
    this.#lastConnected = new LastConnected(parts.db, parts.timers, () => this.#connected());
    this.#unfollow = parts.isEnabled
      ? parts.db.onCommitted(({ wakes }) => wakes.forEach((wake) => this.#follow(wake)))
      : () => {};
  }

  get isEnabled(): boolean {
    return this.#parts.isEnabled;
  }

  /** Whether changes are being told at this moment. */
  get isTelling(): boolean {
    return this.#announcer.isTelling;
  }

  /** Those who were online before a restart have a moment to come back. To be called once, before anybody is served. */
  async resume(): Promise<void> {
    if (!this.isEnabled) return;
    for (const userNid of await this.#lastConnected.load()) {
      const known = this.#knownOf(userNid);
      known.told = undefined;
      this.#checkLater(known);
    }
  }

  /** From now on changes are told. */
  announceTo(audience: PresenceAudience): void {
    if (this.isEnabled) this.#announcer.announceTo(audience);
  }

  /** A request of /sync has begun. The answer is to be called when it ends. `offline`: it says nothing about the user. */
  syncBegan({ userNid, deviceNid }: PresenceOwner, wish: PresenceState): () => void {
    if (wish === 'offline' || !this.isEnabled) return nothingToEnd;
    const known = this.#knownOf(userNid);
    known.user.syncBegan(deviceNid, wish, this.#nowMs());
    this.#compare(known);
    return () => known.user.syncEnded(deviceNid, this.#nowMs());
  }

  /**
   * `PUT /presence/{userId}/status`; no message takes the one before away. Nothing happens where presence is switched off.
   * Throws 403 M_FORBIDDEN for somebody else's, 400 M_INVALID_PARAM for a message that is too long.
   */
  setPresence(owner: PresenceOwner, userId: UserId, state: PresenceState, statusMessage: string | undefined): void {
    if (owner.userId !== userId) throw forbidden('You cannot set the presence of another user');
    if (statusMessage !== undefined && Buffer.byteLength(statusMessage) > limits.presenceStatusBytesMax)
      throw invalidParam(`status_msg must be at most ${limits.presenceStatusBytesMax} bytes long`);
    if (!this.isEnabled) return;
    const known = this.#knownOf(owner.userNid);
    known.user.set(owner.deviceNid, state, statusMessage === '' ? undefined : statusMessage, this.#nowMs());
    this.#compare(known);
  }

  /**
   * `GET /presence/{userId}/status`. Throws 403 M_FORBIDDEN unless it is the reader's own, or they share a room: whether
   * there is such a user is no business of others.
   */
  async getPresence(reader: Pick<PresenceOwner, 'userId' | 'userNid'>, userId: UserId): Promise<JsonObject> {
    const userNid = reader.userId === userId ? reader.userNid : await this.#sharing(reader.userNid, userId);
    return this.contentOf(userNid);
  }

  /** As it is at this moment: the content of `m.presence`. */
  contentOf(userNid: number): JsonObject {
    const nowMs = this.#nowMs();
    const known = this.#known.get(userNid);
    if (known !== undefined) return presenceContent(known.user.visible(nowMs), known.user.activity, nowMs);
    const absence = this.#absences.find(userNid);
    if (absence === undefined) return { presence: 'offline' };
    return presenceContent({ state: 'offline', statusMessage: absence.statusMessage }, absence.activity, nowMs);
  }

  /** Whether they are not offline at this moment. */
  isPresent(userNid: number): boolean {
    return (this.#known.get(userNid)?.user.visible(this.#nowMs()).state ?? 'offline') !== 'offline';
  }

  /** Users of this server who are not offline, at most so many. */
  presentUsers(max: number): readonly number[] {
    const found: number[] = [];
    for (const [userNid, known] of this.#known) {
      if (found.length >= max) break;
      if (isLocal(known) && this.isPresent(userNid)) found.push(userNid);
    }
    return found;
  }

  /**
   * Other servers tell of their users; of several of one user the last counts. Those who are in no room that is known here are left
   * out. https://spec.matrix.org/v1.19/server-server-api/#presence
   */
  async receive(updates: readonly RemotePresence[]): Promise<void> {
    if (!this.isEnabled) return;
    for (const update of new Map(updates.map((one) => [one.userId, one])).values()) {
      const known = await this.#remoteOf(update);
      if (known === undefined) continue;
      const { state, statusMessage, lastActiveAgoMs } = update;
      const nowMs = this.#nowMs();
      known.user.set({ state, statusMessage }, nowMs - lastActiveAgoMs, nowMs);
      this.#compare(known);
    }
  }

  async close(): Promise<void> {
    this.#unfollow();
    this.#announcer.close();
    for (const { check } of this.#known.values()) check?.cancel();
    await this.#lastConnected.write();
    this.#known.clear();
  }

  async #sharing(readerNid: number, userId: UserId): Promise<number> {
    const userNid = await this.#parts.names.findUserNid(userId);
    const shared = userNid && (await this.#parts.db.one(sharedRoom, { user: readerNid, other: userNid }));
    if (userNid === undefined || shared === undefined) throw forbidden('You are not allowed to see their presence');
    return userNid;
  }

  #follow(wake: Wake): void {
    // Sending and reading are what people do; all else may be done by their clients.
    if (wake.kind === 'event') this.#acted(wake.senderNid, wake.transaction?.deviceNid);
    else if (wake.kind === 'receipt') this.#acted(wake.userNid, undefined);
    else if (wake.kind === 'account' && !wake.isActive) this.#disconnect(wake.userNid);
    else if (wake.kind === 'presence' && wake.told.state === 'offline') this.#leave(wake.userNid);
  }

  #acted(userNid: number, deviceNid: number | undefined): void {
    const known = this.#known.get(userNid);
    if (known === undefined || !isLocal(known)) return;
    known.user.acted(deviceNid, this.#nowMs());
    this.#compare(known);
  }

  #disconnect(userNid: number): void {
    const known = this.#known.get(userNid);
    if (known === undefined) return;
    known.user.disconnect();
    this.#compare(known);
  }

  /** Those who went and were told to have gone need no more attention. */
  #leave(userNid: number): void {
    const known = this.#known.get(userNid);
    if (known === undefined || known.user.isConnected || !this.#isTold(known)) return;
    const { activity, statusMessage } = known.user;
    known.check?.cancel();
    this.#known.delete(userNid);
    this.#absences.set(userNid, { activity, statusMessage });
    this.#announcer.forget(userNid);
  }

  /** undefined: they are offline as before, or nobody here has to do with them. */
  async #remoteOf({ userId, state, statusMessage }: RemotePresence): Promise<Known<RemoteUser> | undefined> {
    const userNid = await this.#parts.names.findUserNid(userId);
    if (userNid === undefined) return undefined;
    const found = this.#known.get(userNid);
    if (found !== undefined) return isRemote(found) ? found : undefined;
    const absence = this.#absences.find(userNid);
    if (state === 'offline' && absence?.statusMessage === statusMessage) return undefined;
    if (this.#known.size >= limits.presencesMax) return undefined;
    if ((await this.#parts.db.one(joinedRoomsOf, { user: userNid, limit: 1 })) === undefined) return undefined;
    this.#absences.delete(userNid);
    const told = { ...absent, statusMessage: absence?.statusMessage };
    const known = { user: new RemoteUser(userNid), told, check: undefined };
    this.#known.set(userNid, known);
    return known;
  }

  #knownOf(userNid: number): Known<PresentUser> {
    const found = this.#known.get(userNid);
    if (found !== undefined && isLocal(found)) return found;
    const absence = this.#absences.find(userNid);
    const user = new PresentUser(userNid, absence?.activity ?? { lastActiveMs: this.#nowMs() }, absence?.statusMessage);
    this.#absences.delete(userNid);
    const known: Known<PresentUser> = {
      user,
      told: { ...absent, statusMessage: absence?.statusMessage },
      check: undefined,
    };
    this.#known.set(userNid, known);
    return known;
  }

  #visible({ user }: Known): VisiblePresence {
    return user.visible(this.#nowMs());
  }

  #isTold(known: Known): boolean {
    return known.told !== undefined && isSameVisible(this.#visible(known), known.told);
  }

  /** Who of ours is seen by others. */
  #connected(): number[] {
    const connected: number[] = [];
    for (const [userNid, known] of this.#known)
      if (known.told?.state !== 'offline' && isLocal(known)) connected.push(userNid);
    return connected;
  }

  #compare(known: Known): void {
    if (!this.#isTold(known)) this.#announcer.changed(known.user.userNid);
    if (known.check === undefined) this.#checkLater(known);
  }

  /** One timer for each user; what happens between its calls only changes numbers. */
  #checkLater(known: Known): void {
    const nowMs = this.#nowMs();
    known.check = this.#parts.timers.after(known.user.nextCheckMs(nowMs) - nowMs, () => {
      known.check = undefined;
      known.user.expire(this.#nowMs());
      if (!this.#isTold(known)) this.#announcer.changed(known.user.userNid);
      if (known.user.isConnected) this.#checkLater(known);
      else if (this.#isTold(known)) this.#leave(known.user.userNid);
    });
  }

  #tell(userNids: readonly number[]): void {
    this.#parts.db.write((unit) => {
      for (const userNid of userNids) {
        const known = this.#known.get(userNid);
        if (known === undefined) this.#announcer.forget(userNid);
        if (known === undefined) continue;
        const visible = this.#visible(known);
        if (this.#isTold(known)) continue;
        known.told = visible;
        const pos = unit.nextPos();
        const told = { ...visible, pos, activity: known.user.activity };
        unit.wake({ kind: 'presence', userNid, pos, told });
      }
    });
    this.#lastConnected.changed();
  }

  #nowMs(): number {
    return this.#parts.clock.monotonicMs();
  }
}

const nothingToEnd = (): void => {};
const isLocal = (known: Known): known is Known<PresentUser> => known.user instanceof PresentUser;
const isRemote = (known: Known): known is Known<RemoteUser> => known.user instanceof RemoteUser;

/**
 * As it stands in `m.presence`. Who is online was active within the idle limit, so they are active: no change of
 * `currently_active` alone has to be told.
 */
export function presenceContent(visible: VisiblePresence, { lastActiveMs }: Activity, nowMs: number): JsonObject {
  const { state, statusMessage } = visible;
  return {
    presence: state,
    last_active_ago: Math.max(0, Math.floor(nowMs - lastActiveMs)),
    currently_active: state === 'online',
    ...(statusMessage === undefined ? {} : { status_msg: statusMessage }),
  };
}
