/** One local user who syncs: the rooms they are in, and what changed there since when. */
import type { UserRoom } from '../storage/stores/membership-store.ts';
import { DeviceListMarks } from './device-list-marks.ts';
import { PresenceMarks } from './presence-marks.ts';
import type { ReadMarker } from './unread-counts.ts';

/** How a user stands to a room. */
export interface RoomStanding {
  readonly room: number;
  readonly membership: string;
  /** Since when the membership is what it is; of a forgotten room, what it was when it was forgotten. */
  readonly pos: number;
  readonly isForgotten: boolean;
}

/** Positions of the newest change of each kind; 0: none since the user was loaded. */
export interface RoomChange {
  pos: number;
  eventPos: number;
  receiptPos: number;
  typingPos: number;
  accountDataPos: number;
}
export type ChangeKind = Exclude<keyof RoomChange, 'pos'>;

/** A room that may have news, as it stood when the news were asked for. */
export interface RoomNews {
  readonly standing: RoomStanding;
  /** undefined: what changed is not known. */
  readonly change: Readonly<RoomChange> | undefined;
}

/** Rooms of one user; enough for what changes between two requests. */
const changesMax = 512;
const concernsAllDevices = ({ deviceNid, kind }: UserChange): boolean => kind !== 'threads' && deviceNid === undefined;
const nothingChanged: RoomChange = { pos: 0, eventPos: 0, receiptPos: 0, typingPos: 0, accountDataPos: 0 };

/** Follows what changes for a user, as it changes. */
export interface RoomFollower {
  roomChanged(room: number, kind: ChangeKind, pos: number): void;
  standingChanged(room: number): void;
  /** `room` 0: global account data. */
  accountDataChanged(room: number): void;
  ignoredChanged(): void;
}

/** What somebody who waits is woken for. `room` 0: no room. */
export interface UserChange {
  readonly kind: ChangeKind | 'access' | 'presence' | 'toDevice' | 'keyClaimed' | 'threads' | 'other';
  readonly room: number;
  /** It concerns this device alone. */
  readonly deviceNid?: number;
}

/** What one device is told by /sync: what concerns all, and what concerns it alone. Of followed threads /sync has no word. */
export const concernsDevice =
  (deviceNid: number) =>
  (change: UserChange): boolean =>
    change.kind !== 'threads' && (change.deviceNid === undefined || change.deviceNid === deviceNid);

interface Waiter {
  readonly run: () => void;
  readonly isConcerned: (change: UserChange) => boolean;
  isDue: boolean;
}

export class SyncUser {
  readonly userNid: number;
  /** Who keeps something that is derived from this user. */
  follower: RoomFollower | undefined;
  /** Requests that need the user kept up to date. */
  holders = 0;
  readonly rooms = new Map<number, RoomStanding>();
  /** How far the user has read, per room; forgotten when that changes. */
  readonly markers = new Map<number, ReadMarker>();
  /** Grows when a session of the user began or ended: whoever waits goes back to be checked. */
  sessionsVersion = 0;
  markersVersion = 0;
  readonly presence: PresenceMarks;
  readonly deviceLists: DeviceListMarks;
  /** Rooms with changes. Complete for positions above `#floorPos`. */
  readonly #changes = new Map<number, Changed>();
  #oldest: Changed | undefined;
  #newest: Changed | undefined;
  #floorPos: number;
  /** Of the newest account data of any room, and of the global ones. */
  #accountDataPos: number;
  #globalPos: number;
  /** By device, since the user was loaded. */
  readonly #keysClaimedPos = new Map<number, number>();
  readonly #waiting = new Set<Waiter>();

  constructor(userNid: number, rows: readonly UserRoom[], pos: number) {
    this.userNid = userNid;
    this.#floorPos = pos;
    this.#accountDataPos = pos;
    this.#globalPos = pos;
    for (const { room, membership, pos: since, forgotten } of rows)
      this.rooms.set(room, { room, membership, pos: since, isForgotten: forgotten === 1 });
    this.presence = new PresenceMarks(pos);
    this.deviceLists = new DeviceListMarks(pos);
  }

  /** Rooms that may have changed after a position; `all`: every room with all it has. */
  newsAfter(pos: number, all: boolean): RoomNews[] {
    const isKnown = pos >= this.#floorPos;
    if (all || !isKnown) {
      const changeOf = (room: number) => (isKnown ? (this.#changes.get(room)?.change ?? nothingChanged) : undefined);
      return Array.from(this.rooms.values(), (standing) => ({ standing, change: changeOf(standing.room) }));
    }
    const news: RoomNews[] = [];
    // From the newest backwards: a user with much that is old pays only for what is new.
    for (let node = this.#newest; node !== undefined && node.upToPos > pos; node = node.older) {
      const standing = this.rooms.get(node.room);
      if (node.change.pos > pos && standing !== undefined) news.push({ standing, change: node.change });
    }
    return news.reverse();
  }

  setStanding(standing: RoomStanding): void {
    this.rooms.set(standing.room, standing);
    this.follower?.standingChanged(standing.room);
  }

  forgetRoom(room: number): void {
    const standing = this.rooms.get(room);
    if (standing !== undefined) this.setStanding({ ...standing, isForgotten: true });
  }

  /** Whether account data of the user, of rooms or global, may have changed after a position. */
  hasAccountDataAfter(pos: number): boolean {
    return pos < this.#floorPos || this.#accountDataPos > pos || this.#globalPos > pos;
  }
  /** The same for the global ones, push rules included. */
  hasGlobalsAfter(pos: number): boolean {
    return pos < this.#floorPos || this.#globalPos > pos;
  }

  keyClaimed(deviceNid: number, pos: number): void {
    this.#keysClaimedPos.set(deviceNid, pos);
  }
  /** Whether keys of the device are known to have been claimed after a position: it is told how many it has left. */
  hasKeysClaimedAfter(deviceNid: number, pos: number): boolean {
    return (this.#keysClaimedPos.get(deviceNid) ?? 0) > pos;
  }

  changed(room: number, kind: ChangeKind, pos: number): void {
    let node = this.#changes.get(room);
    if (node === undefined) {
      node = { room, change: { ...nothingChanged }, upToPos: 0, older: undefined, newer: undefined };
      this.#changes.set(room, node);
    } else this.#unlink(node);
    node.change.pos = Math.max(node.change.pos, pos);
    node.change[kind] = Math.max(node.change[kind], pos);
    node.upToPos = Math.max(this.#newest?.upToPos ?? 0, node.change.pos);
    this.#append(node);
    if (this.#changes.size > changesMax) this.#forgetOlderHalf();
    this.follower?.roomChanged(room, kind, pos);
  }

  /** `room` 0: global account data. */
  accountDataChanged(room: number, pos: number): void {
    if (room === 0) this.#globalPos = Math.max(this.#globalPos, pos);
    else {
      this.#accountDataPos = Math.max(this.#accountDataPos, pos);
      this.changed(room, 'accountDataPos', pos);
    }
    this.follower?.accountDataChanged(room);
  }

  forgetMarker(room: number): void {
    this.markersVersion++;
    this.markers.delete(room);
  }

  forgetAllMarkers(): void {
    this.markersVersion++;
    this.markers.clear();
  }

  /** Whether anybody waits for such a change; they are then called by the next `wake`. */
  isAwaited(change: UserChange): boolean {
    let isAwaited = false;
    for (const waiter of this.#waiting) {
      waiter.isDue ||= waiter.isConcerned(change);
      isAwaited ||= waiter.isDue;
    }
    return isAwaited;
  }
  /** Called at the next change that concerns them (absent: all devices), at most once. The answer takes the call back. */
  onceChanged(run: () => void, isConcerned: (change: UserChange) => boolean = concernsAllDevices): () => void {
    const waiter: Waiter = { run, isConcerned, isDue: false };
    this.#waiting.add(waiter);
    return () => this.#waiting.delete(waiter);
  }
  wake(): void {
    const due = [...this.#waiting].filter(({ isDue }) => isDue);
    for (const waiter of due) this.#waiting.delete(waiter);
    for (const { run } of due) run();
  }

  #forgetOlderHalf(): void {
    for (let node = this.#oldest; node !== undefined && this.#changes.size > changesMax / 2; node = this.#oldest) {
      this.#changes.delete(node.room);
      this.#unlink(node);
      this.#floorPos = Math.max(this.#floorPos, node.change.pos);
    }
  }

  #append(node: Changed): void {
    node.older = this.#newest;
    node.newer = undefined;
    if (this.#newest === undefined) this.#oldest = node;
    else this.#newest.newer = node;
    this.#newest = node;
  }

  #unlink(node: Changed): void {
    if (node.older === undefined) this.#oldest = node.newer;
    else node.older.newer = node.newer;
    if (node.newer === undefined) this.#newest = node.older;
    else node.newer.older = node.older;
  }
}

/** A room's change in the list of all, the room that changed last at the end. */
interface Changed {
  readonly room: number;
  readonly change: RoomChange;
  /** No room before it in the list has a change above this; it never falls along the list. */
  upToPos: number;
  older: Changed | undefined;
  newer: Changed | undefined;
}
