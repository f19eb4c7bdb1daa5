/** The room in the store, with the names that the naive room has for things. */
import type { EventId, RoomId } from '../../../../src/matrix/ids/ids.ts';
import { type StateMapKey, stateMapKey } from '../../../../src/matrix/state-res/state-map.ts';
import type { RoomDag } from '../../../../src/rooms/dag/contract.ts';
import { type RoomReport, verifyRoom } from '../../../../src/rooms/dag/verify-room.ts';
import { createRoomDags } from '../../../../src/rooms/dag/room-dags.ts';
import { StateReader } from '../../../../src/rooms/state/state-reader.ts';
import type { Database } from '../../../../src/storage/database.ts';
import { Names } from '../../../../src/storage/names.ts';
import { placesByNids } from '../../../../src/storage/stores/room-graph-store.ts';
import type { State } from './naive-room.ts';

export class StoredRoom {
  readonly db: Database;
  readonly roomId: RoomId;
  readonly #lineDepthMax: number;
  readonly #nidOf = new Map<EventId, number>();
  readonly #idOf = new Map<number, EventId>();
  readonly #keyOf = new Map<number, StateMapKey>();
  #dag: RoomDag | undefined;
  #names: Names;
  reader: StateReader;

  constructor(db: Database, roomId: RoomId, lineDepthMax: number) {
    this.db = db;
    this.roomId = roomId;
    this.#lineDepthMax = lineDepthMax;
    this.#names = new Names(db);
    this.reader = new StateReader(db, this.#names);
  }

  get dag(): RoomDag {
    if (this.#dag === undefined) throw new Error('the room is not open');
    return this.#dag;
  }

  /** Everything that was in memory is lost. */
  async open(version: string): Promise<void> {
    await this.db.drained();
    this.#names = new Names(this.db);
    this.reader = new StateReader(this.db, this.#names);
    const dags = createRoomDags(this.db, this.#names, { limits: { lineDepthMax: this.#lineDepthMax } });
    this.#dag = await dags.adopt(this.roomId, version);
  }

  know(eventId: EventId, nid: number): void {
    this.#nidOf.set(eventId, nid);
    this.#idOf.set(nid, eventId);
  }

  knows(eventId: EventId): boolean {
    return this.#nidOf.has(eventId);
  }

  nidOf(eventId: EventId): number {
    const nid = this.#nidOf.get(eventId);
    if (nid === undefined) throw new Error(`${eventId} is not stored`);
    return nid;
  }

  idOf(nid: number): EventId {
    const eventId = this.#idOf.get(nid);
    if (eventId === undefined) throw new Error(`event ${nid} is of nobody`);
    return eventId;
  }

  /** Events that a purge took away, and that were known until now. */
  async forgetPurged(): Promise<EventId[]> {
    const stored = await this.db.all(placesByNids, { nids: [...this.#idOf.keys()] });
    const nids = new Set(stored.map((row) => row.nid));
    const gone = [...this.#nidOf].filter(([, nid]) => !nids.has(nid)).map(([eventId]) => eventId);
    for (const eventId of gone) this.#nidOf.delete(eventId);
    return gone;
  }

  async named(stored: ReadonlyMap<number, number>): Promise<State> {
    await this.loadKeys(stored.keys());
    return new Map([...stored].map(([skey, nid]) => [this.keyOf(skey), this.idOf(nid)]));
  }

  /** Of a key that was loaded. */
  keyOf(skey: number): StateMapKey {
    return this.#keyOf.get(skey)!;
  }

  async loadKeys(skeys: Iterable<number>): Promise<void> {
    const missing = [...skeys].filter((skey) => !this.#keyOf.has(skey));
    if (missing.length === 0) return;
    const keys = await this.#names.stateKeysOf(missing);
    for (const [index, { type, key }] of keys.entries()) this.#keyOf.set(missing[index]!, stateMapKey(type, key));
  }

  /** As `npm run verify-state` does it. */
  async verify(): Promise<RoomReport> {
    const report = await verifyRoom(this.db, this.roomId);
    if (report === undefined || report.problems.length > 0) throw new Error(`verified: ${report?.problems.join('\n')}`);
    return report;
  }
}
