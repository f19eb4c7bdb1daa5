/**
 * The connections of all devices: in memory while they are used, and written behind, so that they outlive a restart. A client
 * whose connection is gone starts anew.
 */
import { MatrixError } from '../../matrix/errors.ts';
import { limits } from '../../platform/limits.ts';
import { Lru } from '../../platform/lru.ts';
import type { Clock, Timers } from '../../platform/ports.ts';
import { formatSlidingPosition, parseSlidingPosition } from '../../rooms/pagination-token.ts';
import type { Database, UnitBuilder } from '../../storage/database.ts';
import {
  type SlidingConnectionRow,
  connectionState,
  connectionsOfDevice,
  dropBases,
  dropConnections,
  putConnection,
  putConnectionBase,
  unusedConnections,
} from '../../storage/stores/sliding-store.ts';
import { Connection, type Draft } from './connection.ts';
import { draftText, parseBase, parseTail, tailText } from './connection-text.ts';

/** A connection, and what of it is not on disk. */
interface Kept {
  readonly connection: Connection;
  /** As text, what was acknowledged since the base was written. */
  applied: string[];
  appliedRooms: number;
  hasBase: boolean;
  isDirty: boolean;
}

export class Connections {
  readonly #db: Database;
  readonly #clock: Clock;
  readonly #timers: Timers;
  readonly #onFailed: (error: unknown) => void;
  readonly #kept: Lru<string, Kept>;
  readonly #dirty = new Map<string, Kept>();
  readonly #loading = new Map<string, Promise<Kept | undefined>>();
  #isFlushPlanned = false;
  /** What is being written because its time had come. */
  #flushing: Promise<unknown> = Promise.resolve();
  #isClosed = false;
  #sweptMs = 0;

  /** `onFailed` is told what could not be written behind. */
  constructor(db: Database, clock: Clock, timers: Timers, onFailed: (error: unknown) => void) {
    this.#db = db;
    this.#clock = clock;
    this.#timers = timers;
    this.#onFailed = onFailed;
    this.#kept = new Lru({ sizeMax: limits.slidingBytesMax, sizeOf: ({ connection }) => connection.size });
  }

  /** Takes the place of one of the same name. */
  begin(deviceNid: number, connId: string): Connection {
    const connection = new Connection(this.#db.nextId(), deviceNid, connId);
    const kept: Kept = { connection, applied: [], appliedRooms: 0, hasBase: false, isDirty: false };
    const key = keyOf(deviceNid, connId);
    const replaced = this.#find(key);
    if (replaced !== undefined) this.#dirty.delete(key);
    replaced?.connection.supersede?.();
    this.#kept.set(key, kept);
    return connection;
  }

  /** Throws 400 M_UNKNOWN_POS for a position that this device was not given on this connection, or not lately. */
  async resume(deviceNid: number, connId: string, pos: string): Promise<Connection> {
    const place = parseSlidingPosition(pos);
    const key = keyOf(deviceNid, connId);
    const kept = place && (this.#find(key) ?? (await this.#load(key, deviceNid, connId)));
    const connection = kept?.connection;
    if (
      place === undefined ||
      kept === undefined ||
      connection === undefined ||
      connection.id !== place.connection ||
      !connection.isKnown(place.serial)
    )
      throw unknownPosition();
    const draft = connection.acknowledge(place.serial);
    // An older backup of the database was restored: nothing of what the client knows can be relied on.
    if (connection.tokenPos !== place.streamPos || connection.streamPos > this.#db.committedPos())
      throw unknownPosition();
    if (draft !== undefined) this.#applied(key, kept, draft);
    return connection;
  }

  /** What a pass found that has nothing for the client is remembered at once, unless an answer is on its way. */
  advance(connection: Connection, draft: Draft): void {
    const key = keyOf(connection.deviceNid, connection.connId);
    const kept = this.#find(key);
    if (kept?.connection !== connection || connection.isAnswered) return;
    const advanced = { ...draft, serial: connection.serial };
    connection.apply(advanced);
    this.#applied(key, kept, advanced);
  }

  /** An answer is given. Its token stands for it. */
  answered(connection: Connection, draft: Draft): string {
    const key = keyOf(connection.deviceNid, connection.connId);
    connection.remember(draft);
    const kept = this.#find(key);
    if (kept?.connection === connection) this.#touched(key, kept);
    return formatSlidingPosition({ ...draft, connection: connection.id });
  }

  tokenOf(connection: Connection): string {
    const { id, tokenPos, serial } = connection;
    return formatSlidingPosition({ streamPos: tokenPos, connection: id, serial });
  }

  /** Everything is on disk when it resolves. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all([this.flush(), this.#flushing]);
  }

  async flush(): Promise<void> {
    const dirty = [...this.#dirty];
    this.#dirty.clear();
    for (const [, kept] of dirty) {
      kept.isDirty = false;
      await this.#write(kept);
    }
    await this.#sweep();
  }

  #find(key: string): Kept | undefined {
    return this.#kept.find(key) ?? this.#dirty.get(key);
  }

  #applied(key: string, kept: Kept, draft: Draft): void {
    kept.applied.push(draftText(draft));
    kept.appliedRooms += draft.records.size;
    this.#touched(key, kept);
  }

  #touched(key: string, kept: Kept): void {
    // Its size changed.
    this.#kept.set(key, kept);
    kept.isDirty = true;
    this.#dirty.set(key, kept);
    if (this.#isFlushPlanned || this.#isClosed) return;
    this.#isFlushPlanned = true;
    this.#timers.after(limits.slidingWriteMs, () => {
      this.#isFlushPlanned = false;
      // What is not written is lost at a crash, and its client starts anew.
      if (!this.#isClosed) this.#flushing = Promise.all([this.#flushing, this.flush().catch(this.#onFailed)]);
    });
  }

  #load(key: string, deviceNid: number, connId: string): Promise<Kept | undefined> {
    const loading = this.#loading.get(key);
    if (loading !== undefined) return loading;
    const loaded = this.#read(key, deviceNid, connId).finally(() => this.#loading.delete(key));
    this.#loading.set(key, loaded);
    return loaded;
  }

  async #read(key: string, device: number, connId: string): Promise<Kept | undefined> {
    const row = await this.#db.one(connectionState, { device, connId });
    // Another request may have begun anew meanwhile.
    const known = this.#find(key);
    if (row === undefined || known !== undefined) return known;
    const connection = new Connection(row.connection, device, connId);
    const { applied, pending } = parseTail(row.tail);
    if (row.base !== null) connection.apply(parseBase(row.base));
    for (const draft of applied) connection.apply(draft);
    for (const draft of pending) connection.remember(draft);
    const kept: Kept = {
      connection,
      applied: applied.map(draftText),
      appliedRooms: applied.reduce((sum, { records }) => sum + records.size, 0),
      hasBase: row.base !== null,
      isDirty: false,
    };
    this.#kept.set(key, kept);
    return kept;
  }

  async #write(kept: Kept): Promise<void> {
    const { connection } = kept;
    const { id, deviceNid: device, connId } = connection;
    const rows = kept.hasBase ? [] : superfluous(await this.#db.all(connectionsOfDevice, { device }), connection);
    for (const row of rows) if (row.conn_id !== connId) this.#forget(keyOf(device, row.conn_id));
    const isWhole = kept.appliedRooms > Math.max(64, connection.records.size / 4) || kept.applied.length > 200;
    if (isWhole) {
      kept.applied = [];
      kept.appliedRooms = 0;
      kept.hasBase = true;
    }
    const base = isWhole ? draftText(whole(connection)) : undefined;
    const tail = tailText(kept.applied, Array.from(connection.pending, draftText));
    const usedTs = this.#clock.nowMs();
    await this.#db.write((unit) => {
      unit.run(putConnection, { connection: id, device, connId, usedTs, tail });
      if (base !== undefined) unit.run(putConnectionBase, { connection: id, base });
      drop(unit, rows);
    }).committed;
  }

  #forget(key: string): void {
    this.#kept.delete(key);
    this.#dirty.delete(key);
  }

  async #sweep(): Promise<void> {
    const nowMs = this.#clock.nowMs();
    if (nowMs - this.#sweptMs < limits.slidingSweepMs) return;
    this.#sweptMs = nowMs;
    const before = nowMs - limits.slidingUnusedMs;
    const rows = await this.#db.all(unusedConnections, { before, limit: 1_000 });
    if (rows.length > 0) await this.#db.write((unit) => drop(unit, rows)).committed;
  }
}

/** Those of the same name, and those that a device has too many of. */
function superfluous(rows: readonly SlidingConnectionRow[], { id, connId }: Connection): SlidingConnectionRow[] {
  const others = rows.filter((row) => row.connection !== id);
  const named = others.filter((row) => row.conn_id === connId);
  const rest = others.filter((row) => row.conn_id !== connId);
  return [...named, ...rest.slice(limits.slidingConnectionsMax - 1)];
}

function drop(unit: UnitBuilder, rows: readonly Pick<SlidingConnectionRow, 'connection'>[]): void {
  if (rows.length === 0) return;
  const connections = rows.map(({ connection }) => connection);
  unit.run(dropConnections, { connections });
  unit.run(dropBases, { connections });
}

/** The connection as one answer that tells everything. */
function whole(connection: Connection): Draft {
  const { serial, streamPos, tokenPos, signature, lists, records } = connection;
  const members = new Map(
    Array.from(connection.members, ([room, told]) => [room, { isReset: true, told, outdated: new Set<string>() }]),
  );
  return { serial, streamPos, tokenPos, signature, lists, records, members };
}

const keyOf = (deviceNid: number, connId: string): string => `${deviceNid} ${connId}`;

const unknownPosition = () => new MatrixError(400, 'M_UNKNOWN_POS', 'This position is not known, or no longer');
