/**
 * What one connection of a client has been told. The last position that the client has shown to have is kept, and all answers
 * that were given to it: an answer that was lost is given again, and only the next request tells which one arrived.
 * https://github.com/matrix-org/matrix-spec-proposals/blob/main/proposals/4186-simplified-sliding-sync.md#connections
 */
import type { ListVersion } from './filtered-rooms.ts';
import type { RequiredState } from './required-state.ts';

/** How far something of a room was told: 'never', 'all' up to the connection's position, or up to a position. */
export type Told = 'never' | 'all' | number;

/** What was told of one room. Never changed: replaced. */
export interface RoomRecord {
  readonly membership: string;
  /** Since when the membership is what it is. */
  readonly standingPos: number;
  readonly events: Told;
  readonly receipts: Told;
  readonly accountData: Told;
  /** The newest that many events were told, or all there are. */
  readonly timelineLimit: number;
  /** All events from here on were told. */
  readonly firstOrd: number;
  readonly required: RequiredState;
  readonly isDm: boolean;
  readonly bumpStamp: number;
  readonly notification: number;
  readonly highlight: number;
}

/** What an answer tells of members that are loaded lazily. */
export interface MemberNews {
  /** Nothing that was told before counts. */
  readonly isReset: boolean;
  readonly told: ReadonlySet<string>;
  /** They changed, and that was not told. */
  readonly outdated: ReadonlySet<string>;
}

/** What one answer changed. */
export interface Draft {
  readonly serial: number;
  /** Everything up to here was considered. */
  readonly streamPos: number;
  /** Of the answer's token, where that is another one. */
  readonly tokenPos?: number | undefined;
  /** Of the request; undefined after a restart. */
  readonly signature: string | undefined;
  readonly lists: ReadonlyMap<string, ListState>;
  readonly records: ReadonlyMap<number, RoomRecord>;
  readonly members: ReadonlyMap<number, MemberNews>;
}
export interface ListState {
  readonly count: number;
  /** undefined after a restart. */
  readonly version: ListVersion | undefined;
}

/** Answers to one position that are remembered: of more requests than this only the last ones are still awaited. */
const pendingMax = 8;
const membersPerRoomMax = 1_000;
const requiredMax = 100;

export class Connection {
  readonly id: number;
  readonly deviceNid: number;
  readonly connId: string;
  serial = 0;
  /** -1: nothing was told yet. */
  streamPos = -1;
  /** What it was when the answer of this serial was given. */
  tokenPos = -1;
  signature: string | undefined;
  lists: ReadonlyMap<string, ListState> = new Map();
  readonly records = new Map<number, RoomRecord>();
  /** Rooms of which something was not told. */
  readonly behind = new Set<number>();
  /** Ends the waiting of the latest request: a new one takes its place. */
  supersede: (() => void) | undefined;
  /** Every record keeps one; most are the same. */
  readonly #required = new Map<string, RequiredState>();
  readonly #members = new Map<number, Set<string>>();
  #membersCount = 0;
  readonly #pending = new Map<number, Draft>();
  #lastSerial = 0;

  constructor(id: number, deviceNid: number, connId: string) {
    this.id = id;
    this.deviceNid = deviceNid;
    this.connId = connId;
  }

  /** In bytes, roughly. */
  get size(): number {
    let pending = 0;
    for (const { records } of this.#pending.values()) pending += records.size;
    return 1_000 + 250 * (this.records.size + pending) + 60 * this.#membersCount;
  }

  get isAnswered(): boolean {
    return this.#pending.size > 0;
  }
  get pending(): Iterable<Draft> {
    return this.#pending.values();
  }

  isKnown(serial: number): boolean {
    return serial === this.serial || this.#pending.has(serial);
  }

  /** The client has the answer of this serial. Gives what it changed; undefined: that was known. */
  acknowledge(serial: number): Draft | undefined {
    const draft = this.#pending.get(serial);
    if (draft === undefined) return undefined;
    this.#pending.clear();
    this.apply(draft);
    return draft;
  }

  /** The same object for equal values. */
  shared(required: RequiredState): RequiredState {
    const known = this.#required.get(required.key);
    if (known !== undefined) return known;
    if (this.#required.size >= requiredMax) this.#required.clear();
    this.#required.set(required.key, required);
    return required;
  }

  nextSerial(): number {
    return ++this.#lastSerial;
  }

  remember(draft: Draft): void {
    this.#lastSerial = Math.max(this.#lastSerial, draft.serial);
    this.#pending.set(draft.serial, draft);
    for (const oldest of this.#pending.keys()) {
      if (this.#pending.size <= pendingMax) break;
      this.#pending.delete(oldest);
    }
  }

  apply(draft: Draft): void {
    if (draft.serial !== this.serial) this.tokenPos = draft.tokenPos ?? draft.streamPos;
    this.serial = draft.serial;
    this.#lastSerial = Math.max(this.#lastSerial, draft.serial);
    this.streamPos = draft.streamPos;
    this.signature = draft.signature;
    this.lists = draft.lists;
    for (const [room, record] of draft.records) {
      this.records.set(room, record);
      if (isBehind(record)) this.behind.add(room);
      else this.behind.delete(room);
    }
    for (const [room, news] of draft.members) this.#applyMembers(room, news);
  }

  membersToldOf(room: number): ReadonlySet<string> {
    return this.#members.get(room) ?? nobody;
  }

  get members(): ReadonlyMap<number, ReadonlySet<string>> {
    return this.#members;
  }

  #applyMembers(room: number, { isReset, told, outdated }: MemberNews): void {
    const members = this.#members.get(room) ?? new Set();
    this.#membersCount -= members.size;
    if (isReset) members.clear();
    for (const userId of outdated) members.delete(userId);
    for (const userId of told) if (members.size < membersPerRoomMax) members.add(userId);
    this.#membersCount += members.size;
    if (members.size > 0) this.#members.set(room, members);
    else this.#members.delete(room);
  }
}

const nobody: ReadonlySet<string> = new Set();

const isBehind = ({ events, receipts, accountData }: RoomRecord): boolean =>
  typeof events === 'number' || typeof receipts === 'number' || typeof accountData === 'number';

/** Up to where the client knows of a room's events, when it has been told up to `since`; -1: of none. */
export function toldUpTo({ since }: { readonly since: number }, record: RoomRecord | undefined): number {
  if (record === undefined || record.events === 'never') return -1;
  return record.events === 'all' ? since : record.events;
}
