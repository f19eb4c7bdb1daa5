/**
 * Which other servers are in a room, kept up by what is committed: an event costs its room's servers, and the first one of a room
 * in memory one query, whatever the number of members.
 */
import type { ServerName } from '../../matrix/ids/ids.ts';
import type { JsonObject } from '../../matrix/json/json-value.ts';
import { compileServerAcl, type ServerAcl } from '../../matrix/server-acl/server-acl.ts';
import { Lru } from '../../platform/lru.ts';
import type { Timers } from '../../platform/ports.ts';
import type { RoomsContext } from '../../rooms/context.ts';
import { joinedAmong, joinedServers } from '../../storage/stores/outgoing-store.ts';

/** By their numbers, in no order. */
export type ServersOfRoom = ReadonlyMap<number, ServerName>;

interface Room {
  readonly room: number;
  servers: Map<number, ServerName>;
  acl: ServerAcl;
  /** Of `servers` those that the room's access control list lets in; undefined: to be made. */
  allowed: ServersOfRoom | undefined;
  /** false: nothing was read yet, or what was read is no longer right. */
  isRead: boolean;
  /** Of these a user has left: whether any other is there still has to be read. */
  readonly doubtful: Set<number>;
  /** What waits until something is read, oldest first. */
  readonly waiting: Step[];
  isReading: boolean;
}

interface Step {
  readonly run: (room: Room) => unknown;
  /** Of a server whose user came (1) or left (-1). */
  readonly change?: { readonly serverNid: number; readonly by: number };
}

/** Of all rooms together. */
const serversMax = 1_000_000;
const retryMs = 1_000;
/** How often a room is read anew because somebody came or left meanwhile. */
const readingsMax = 10;

export interface RoomServersParts {
  readonly rooms: Pick<RoomsContext, 'db' | 'names' | 'dags' | 'localServers' | 'partialRooms'>;
  readonly timers: Pick<Timers, 'after'>;
  readonly onFailed: (error: unknown) => void;
}

export class RoomServers {
  readonly #parts: RoomServersParts;
  readonly #rooms = new Lru<number, Room>({ sizeMax: serversMax, sizeOf: ({ servers }) => servers.size + 10 });
  /** Those that are being read: whoever comes meanwhile waits in the same line. */
  readonly #busy = new Map<number, Room>();
  #isClosed = false;

  constructor(parts: RoomServersParts) {
    this.#parts = parts;
  }

  /**
   * Gives `use` the servers that are told of what happens in the room, none of ours among them: at once when they are in memory, and
   * always in the order of the calls.
   */
  use(room: number, use: (servers: ServersOfRoom) => void): void {
    const entry = this.#find(room) ?? newRoom(room);
    if (entry.waiting.length === 0 && !entry.isReading && isRight(entry))
      return use((entry.allowed ??= allowedOf(entry)));
    entry.waiting.push({ run: (known) => use((known.allowed ??= allowedOf(known))) });
    this.#read(entry);
  }

  /** The same, for whoever waits anyway. */
  of(room: number): Promise<ServersOfRoom> {
    return new Promise((resolve) => {
      this.use(room, resolve);
    });
  }

  joined(room: number, serverNid: number, name: ServerName): void {
    const entry = this.#find(room);
    if (entry === undefined) return;
    const run = (known: Room): void => {
      known.doubtful.delete(serverNid);
      if (known.servers.has(serverNid)) return;
      known.servers.set(serverNid, name);
      known.allowed = undefined;
    };
    this.#change(entry, { run, change: { serverNid, by: 1 } });
  }

  left(room: number, serverNid: number): void {
    const entry = this.#find(room);
    const run = (known: Room): unknown => known.doubtful.add(serverNid);
    if (entry !== undefined) this.#change(entry, { run, change: { serverNid, by: -1 } });
  }

  aclChanged(room: number, content: JsonObject): void {
    const entry = this.#find(room);
    if (entry === undefined) return;
    const run = (known: Room): void => {
      known.acl = compileServerAcl(content);
      known.allowed = undefined;
    };
    this.#change(entry, { run });
  }

  /** Its state changed otherwise than by an event of its own. */
  stateChanged(room: number): void {
    const entry = this.#find(room);
    if (entry !== undefined) this.#change(entry, { run: (known) => (known.isRead = false) });
  }

  /** What waits is not carried out any more. */
  close(): void {
    this.#isClosed = true;
    this.#rooms.clear();
    this.#busy.clear();
  }

  #find(room: number): Room | undefined {
    return this.#busy.get(room) ?? this.#rooms.find(room);
  }

  /** Changes wait only behind those who wait for something to be read. */
  #change(entry: Room, change: Step): void {
    if (entry.waiting.length === 0 && !entry.isReading) change.run(entry);
    else entry.waiting.push(change);
  }

  #read(entry: Room): void {
    if (entry.isReading || this.#isClosed) return;
    entry.isReading = true;
    this.#busy.set(entry.room, entry);
    this.#readAndGoOn(entry).then(
      () => {
        entry.isReading = false;
        if (this.#isClosed) return;
        this.#busy.delete(entry.room);
        this.#rooms.set(entry.room, entry);
        if (entry.waiting.length > 0) this.#read(entry);
      },
      (error: unknown) => {
        entry.isReading = false;
        if (this.#isClosed) return;
        this.#parts.onFailed(error);
        this.#parts.timers.after(retryMs, () => this.#read(entry));
      },
    );
  }

  async #readAndGoOn(entry: Room): Promise<void> {
    if (entry.isRead) await this.#dispelDoubts(entry);
    else await this.#readAll(entry);
    // A step may leave something to be read before the next one.
    while (isRight(entry) && !this.#isClosed) {
      const step = entry.waiting.shift();
      if (step === undefined) return;
      step.run(entry);
    }
  }

  async #readAll(entry: Room): Promise<void> {
    const { names, dags, localServers } = this.#parts.rooms;
    const nids = await this.#joinedBefore(entry);
    const serverNames = await names.serverNames(nids);
    const servers = new Map<number, ServerName>();
    for (const [at, nid] of nids.entries()) {
      const name = serverNames[at]!;
      if (!localServers.isLocal(name)) servers.set(nid, name);
    }
    // Most rooms have users of this server alone.
    if (servers.size > 0) {
      const dag = await dags.openByNid(entry.room);
      entry.acl = compileServerAcl((await dag.currentEvent('m.room.server_acl', ''))?.content);
    }
    entry.servers = servers;
    entry.allowed = undefined;
    entry.doubtful.clear();
    entry.isRead = true;
  }

  /**
   * Those that had joined users before the first step that waits: a server is told nothing of what came before it. What is read may
   * be newer than that, by what happened since.
   */
  async #joinedBefore({ room, waiting }: Room): Promise<number[]> {
    const { db } = this.#parts.rooms;
    const changesOf = (): readonly NonNullable<Step['change']>[] => waiting.flatMap(({ change }) => change ?? []);
    for (let reading = 1; ; reading++) {
      await db.drained();
      const changes = changesOf();
      const rows = await db.all(joinedServers, { room });
      // Now everything that the rows may contain has been told.
      await db.drained();
      if (changesOf().length > changes.length && reading < readingsMax) continue;
      const joined = new Map(rows.map((row) => [row.server_nid, row.joined]));
      for (const { serverNid, by } of changes) joined.set(serverNid, (joined.get(serverNid) ?? 0) - by);
      const here = [...joined].flatMap(([nid, count]) => (count > 0 ? [nid] : []));
      return [...new Set([...here, ...(await this.#saidToBeIn(room))])];
    }
  }

  /** As long as the members of a room are not known, those servers count that were in it when it was joined. */
  async #saidToBeIn(room: number): Promise<number[]> {
    const { partialRooms } = this.#parts.rooms;
    await partialRooms.load();
    return partialRooms.isPartial(room) ? partialRooms.serverNids(room) : [];
  }

  async #dispelDoubts(entry: Room): Promise<void> {
    const servers = [...entry.doubtful];
    const rows = await this.#parts.rooms.db.all(joinedAmong, { room: entry.room, servers });
    const joined = new Set([...rows.map((row) => row.server_nid), ...(await this.#saidToBeIn(entry.room))]);
    for (const server of servers) {
      entry.doubtful.delete(server);
      if (!joined.has(server)) entry.servers.delete(server);
    }
    entry.allowed = undefined;
  }
}

const newRoom = (room: number): Room => ({
  room,
  servers: new Map(),
  acl: compileServerAcl(undefined),
  allowed: undefined,
  isRead: false,
  doubtful: new Set(),
  waiting: [],
  isReading: false,
});

const isRight = ({ isRead, doubtful }: Room): boolean => isRead && doubtful.size === 0;

function allowedOf({ servers, acl }: Room): ServersOfRoom {
  const allowed = new Map<number, ServerName>();
  for (const [nid, name] of servers) if (acl.allows(name)) allowed.set(nid, name);
  return allowed;
}
