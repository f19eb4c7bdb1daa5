/**
 * The published rooms in memory, in the order of the directory. It is read once, at the first request, and then follows the
 * stream: a room that changed is looked at again by the next request, so a request costs its page and what changed since the
 * one before, whatever the number of rooms.
 */
import { KeyedLock } from '../../platform/keyed-lock.ts';
import type { Timers } from '../../platform/ports.ts';
import type { UnitBuilder, Wake } from '../../storage/database.ts';
import { publishRoom, publishedRoomsAfter, unpublishRoom } from '../../storage/stores/room-directory-store.ts';
import type { RoomsContext } from '../context.ts';
import { type DirectoryPlace, indexOfPlace } from './directory-order.ts';
import { type RoomSummary, loadRoomSummaries, summaryTypes } from './room-summary.ts';
import { searchTextOf } from './search-text.ts';

declare module '../../storage/database.ts' {
  interface WakeKinds {
    /** A room entered the directory or left it. */
    'published-room': { readonly room: number; readonly isPublished: boolean };
  }
}

export interface PublishedRoom extends DirectoryPlace {
  /** undefined: too large to be kept; `loadRoomSummaries` has it. */
  readonly summary: RoomSummary | undefined;
  readonly searchText: string;
  readonly roomType: string | null;
}

/** Part of a unit. */
export function setPublished(unit: UnitBuilder, room: number, isPublished: boolean): void {
  unit.run(isPublished ? publishRoom : unpublishRoom, { room });
  unit.wake({ kind: 'published-room', room, isPublished });
}

/** Rooms that are looked at in one go. */
const sliceRooms = 200;
/** Of a summary in memory, as JSON. Names and topics can have 64 KiB. */
const summaryCharsMax = 2_048;

export class PublishedRooms {
  readonly #ctx: Pick<RoomsContext, 'db' | 'names'>;
  readonly #timers: Pick<Timers, 'soon'>;
  readonly #refreshing = new KeyedLock<'directory'>();
  readonly #entries = new Map<number, PublishedRoom>();
  /** Those of #entries with joined members. */
  readonly #order: PublishedRoom[] = [];
  /** Rooms to look at again. */
  #changed = new Set<number>();
  /** Which published rooms there are is being read, or known. */
  #isFollowing = false;
  #isLoaded = false;
  /** Those that left the directory while it was being read. */
  readonly #left = new Set<number>();
  readonly #unfollow: () => void;

  constructor(ctx: Pick<RoomsContext, 'db' | 'names'>, timers: Pick<Timers, 'soon'>) {
    this.#ctx = ctx;
    this.#timers = timers;
    this.#unfollow = ctx.db.onCommitted(({ wakes }) => {
      if (this.#isFollowing) for (const wake of wakes) this.#follow(wake);
    });
  }

  /** Those with members, in the order of the directory, as of now at least. */
  async inOrder(): Promise<readonly PublishedRoom[]> {
    await this.#refreshing.run('directory', () => this.#refresh());
    return this.#order;
  }

  close(): void {
    this.#unfollow();
  }

  #follow(wake: Wake): void {
    if (wake.kind === 'published-room') this.#setPublished(wake.room, wake.isPublished);
    else if (wake.kind === 'rejudged' && this.#entries.has(wake.room)) this.#changed.add(wake.room);
    else if (wake.kind === 'event' && this.#entries.has(wake.room)) {
      const { event, otherStateChanged } = wake;
      if (otherStateChanged || (event.stateKey !== undefined && isTold(event.type))) this.#changed.add(wake.room);
    } else if (wake.kind === 'redaction' && wake.redacted.stateKey !== undefined && this.#entries.has(wake.room))
      this.#changed.add(wake.room);
  }

  #setPublished(room: number, isPublished: boolean): void {
    if (isPublished) {
      this.#left.delete(room);
      if (!this.#entries.has(room)) this.#entries.set(room, unknownRoom(room));
      this.#changed.add(room);
    } else {
      this.#place(room, undefined);
      this.#changed.delete(room);
      if (!this.#isLoaded) this.#left.add(room);
    }
  }

  async #refresh(): Promise<void> {
    if (!this.#isLoaded) await this.#load();
    const changed = [...this.#changed];
    this.#changed = new Set();
    for (let i = 0; i < changed.length; i += sliceRooms) {
      const slice = changed.slice(i, i + sliceRooms);
      try {
        await this.#lookAt(slice);
      } catch (error) {
        for (const room of changed.slice(i)) if (this.#entries.has(room)) this.#changed.add(room);
        throw error;
      }
      if (i + sliceRooms < changed.length) await this.#letOthersRun();
    }
  }

  /** What is published while this reads is heard of, too. */
  async #load(): Promise<void> {
    this.#isFollowing = true;
    for (let above = 0; ;) {
      const rows = await this.#ctx.db.all(publishedRoomsAfter, { room: above, limit: 10 * sliceRooms });
      for (const { room } of rows) if (!this.#left.has(room)) this.#setPublished(room, true);
      const last = rows.at(-1);
      if (last === undefined || rows.length < 10 * sliceRooms) break;
      above = last.room;
    }
    this.#isLoaded = true;
    this.#left.clear();
  }

  async #lookAt(rooms: readonly number[]): Promise<void> {
    const summaries = await loadRoomSummaries(this.#ctx, rooms);
    for (const room of rooms) {
      const summary = summaries.get(room);
      // Some may have left the directory meanwhile.
      if (summary !== undefined && this.#entries.has(room)) this.#place(room, entryOf(room, summary));
    }
  }

  #place(room: number, entry: PublishedRoom | undefined): void {
    const before = this.#entries.get(room);
    if (before !== undefined && before.members > 0) this.#order.splice(indexOfPlace(this.#order, before), 1);
    if (entry === undefined) this.#entries.delete(room);
    else this.#entries.set(room, entry);
    if (entry !== undefined && entry.members > 0) this.#order.splice(indexOfPlace(this.#order, entry), 0, entry);
  }

  #letOthersRun(): Promise<void> {
    return new Promise((resolve) => {
      this.#timers.soon(resolve);
    });
  }
}

const toldTypes: ReadonlySet<string> = new Set<string>([...summaryTypes, 'm.room.member']);
const isTold = (type: string): boolean => toldTypes.has(type);

/** Published, and not looked at yet. */
const unknownRoom = (room: number): PublishedRoom => ({
  room,
  members: 0,
  summary: undefined,
  searchText: '',
  roomType: null,
});

function entryOf(room: number, summary: RoomSummary): PublishedRoom {
  const isSmall = JSON.stringify(summary).length <= summaryCharsMax;
  return {
    room,
    members: summary.num_joined_members,
    summary: isSmall ? summary : undefined,
    searchText: searchTextOf(summary),
    roomType: summary.room_type ?? null,
  };
}
