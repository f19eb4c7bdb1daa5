/**
 * Rooms whose state is not known whole yet: they were joined before their members were known. In memory, because everybody who
 * reads members asks. https://github.com/matrix-org/matrix-spec-proposals/pull/3902
 */
import { MatrixError } from '../matrix/errors.ts';
import type { EventId, ServerName } from '../matrix/ids/ids.ts';
import { limits } from '../platform/limits.ts';
import type { Commit, Database, UnitBuilder } from '../storage/database.ts';
import type { Names } from '../storage/names.ts';
import {
  addPartialRoomServers,
  dropPartialRoom,
  dropPartialRoomServers,
  partialRooms,
  serverOfPartialRoom,
  serversOfPartialRoom,
  setPartialRoom,
  setRoomFilled,
} from '../storage/stores/partial-room-store.ts';

declare module '../storage/database.ts' {
  interface WakeKinds {
    /** A room was joined whose state is to come, its state came, or nobody is left who waits for it. */
    'partial-room': { readonly room: number; readonly entry: PartialRoom | undefined };
  }
}

export interface PartialRoom {
  readonly room: number;
  /** Our join, which the state is from before of. */
  readonly joinId: EventId;
  /** Milliseconds since the Unix epoch. */
  readonly startedTs: number;
  /** From this position on the state is whole; undefined: it is not yet. */
  readonly filledPos: number | undefined;
}

export class PartialRooms {
  readonly #db: Database;
  readonly #names: Pick<Names, 'serverNames'>;
  readonly #rooms = new Map<number, PartialRoom>();
  readonly #waiting = new Map<number, Set<PromiseWithResolvers<void>>>();
  readonly #unfollow: () => void;
  #waiters = 0;
  #loading: Promise<void> | undefined;

  constructor(db: Database, names: Pick<Names, 'serverNames'>) {
    this.#db = db;
    this.#names = names;
    this.#unfollow = db.onCommitted((commit) => this.#onCommit(commit));
  }

  /** To be awaited before the others are called; after the first time it costs nothing. */
  load(): Promise<void> {
    return (this.#loading ??= this.#load().catch((error: unknown) => {
      this.#loading = undefined;
      throw error;
    }));
  }

  isPartial(room: number): boolean {
    return this.isPartialAt(room, Infinity);
  }

  /** Whether it was not known whole yet at a position, which is no earlier than our join. */
  isPartialAt(room: number, pos: number): boolean {
    const entry = this.#rooms.get(room);
    return entry !== undefined && (entry.filledPos === undefined || entry.filledPos > pos);
  }

  /** Also of a room whose state is whole by now. */
  find(room: number): PartialRoom | undefined {
    return this.#rooms.get(room);
  }

  /** Those whose state is to come. */
  all(): PartialRoom[] {
    return [...this.#rooms.values()].filter(({ filledPos }) => filledPos === undefined);
  }

  /** Those that are said to have been in the room when it was joined, in the order in which they are to be asked. */
  async servers(room: number): Promise<ServerName[]> {
    return this.#names.serverNames(await this.serverNids(room));
  }

  /** The same by their numbers. */
  async serverNids(room: number): Promise<number[]> {
    const rows = await this.#db.all(serversOfPartialRoom, { room, limit: limits.serversInRoomMax });
    return rows.map((row) => row.server_nid);
  }

  /** Whether a server is one of them: one row, however many another server says that there are. */
  async isSaidToBeIn(room: number, server: number): Promise<boolean> {
    return (await this.#db.one(serverOfPartialRoom, { room, server })) !== undefined;
  }

  /**
   * Resolves when the room's state is whole, or when nobody waits for that any more. Throws 503 M_UNKNOWN when the server is closing
   * or too many wait.
   */
  async whole(room: number): Promise<void> {
    await this.load();
    if (!this.isPartial(room)) return;
    const waiting = this.#waiting.get(room) ?? new Set();
    const isFull = waiting.size >= limits.partialRoomWaitersOfRoomMax || this.#waiters >= limits.partialRoomWaitersMax;
    if (isFull) throw notYet('Too many wait for the members of rooms');
    const waiter = Promise.withResolvers<void>();
    waiting.add(waiter);
    this.#waiting.set(room, waiting);
    this.#waiters += 1;
    await waiter.promise.finally(() => (this.#waiters -= 1));
  }

  /** Part of the unit of our join. `servers`: by their numbers. */
  writeBegun(unit: UnitBuilder, begun: Omit<PartialRoom, 'filledPos'>, servers: readonly number[]): void {
    const { room, joinId: eventId, startedTs } = begun;
    unit.run(setPartialRoom, { room, eventId, startedTs });
    unit.run(dropPartialRoomServers, { room });
    const rows = JSON.stringify(servers.map((server, rank) => [server, rank]));
    unit.run(addPartialRoomServers, { room, rows });
    unit.wake({ kind: 'partial-room', room, entry: { ...begun, filledPos: undefined } });
  }

  /** Part of the unit by which the state becomes whole, at its position. */
  writeFilled(unit: UnitBuilder, entry: PartialRoom, pos: number): void {
    unit.run(setRoomFilled, { room: entry.room, pos });
    unit.run(dropPartialRoomServers, { room: entry.room });
    unit.wake({ kind: 'partial-room', room: entry.room, entry: { ...entry, filledPos: pos } });
  }

  /** Nobody of ours is in the room any more: its state is not fetched, and nobody waits for it. */
  async abandon(room: number): Promise<void> {
    await this.#db.write((unit) => {
      unit.run(dropPartialRoom, { room });
      unit.run(dropPartialRoomServers, { room });
      unit.wake({ kind: 'partial-room', room, entry: undefined });
    }).committed;
  }

  /** Those who wait are told that it was in vain. */
  close(): void {
    this.#unfollow();
    for (const waiting of this.#waiting.values())
      for (const waiter of waiting) waiter.reject(notYet('The server is closing'));
    this.#waiting.clear();
  }

  async #load(): Promise<void> {
    // What is committed while this is read is told by a wake, which knows better.
    const told = new Set<number>();
    const stop = this.#db.onCommitted(({ wakes }) => {
      for (const wake of wakes) if (wake.kind === 'partial-room') told.add(wake.room);
    });
    try {
      for (const row of await this.#db.all(partialRooms, {})) {
        const { room, event_id: joinId, started_ts: startedTs, filled_pos: filledPos } = row;
        if (told.has(room) || this.#rooms.has(room)) continue;
        this.#rooms.set(room, { room, joinId: joinId as EventId, startedTs, filledPos: filledPos ?? undefined });
      }
    } finally {
      stop();
    }
  }

  #onCommit({ wakes }: Commit): void {
    for (const wake of wakes) {
      if (wake.kind !== 'partial-room') continue;
      if (wake.entry === undefined) this.#rooms.delete(wake.room);
      else this.#rooms.set(wake.room, wake.entry);
      if (this.isPartial(wake.room)) continue;
      for (const waiter of this.#waiting.get(wake.room) ?? []) waiter.resolve();
      this.#waiting.delete(wake.room);
    }
  }
}

const notYet = (message: string): MatrixError => new MatrixError(503, 'M_UNKNOWN', message);
