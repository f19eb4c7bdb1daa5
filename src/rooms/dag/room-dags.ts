import { notFound } from '../../matrix/errors.ts';
import type { RoomEvent } from '../../matrix/events/room-event.ts';
import type { RoomId } from '../../matrix/ids/ids.ts';
import { findRoomVersion } from '../../matrix/room-versions/table.ts';
import type { RoomVersionRules } from '../../matrix/room-versions/rules.ts';
import type { Database, UnitBuilder } from '../../storage/database.ts';
import type { Names } from '../../storage/names.ts';
import {
  type RoomRow,
  insertRoom,
  roomById,
  roomByNid,
  setRoomVersion,
} from '../../storage/stores/room-graph-store.ts';
import { LineFlag, insertLine, insertMain } from '../../storage/stores/state-line-store.ts';
import { CommittedLines } from './committed-lines.ts';
import type { NewRoom, RoomDag, RoomDags } from './contract.ts';
import type { Timers } from '../../platform/ports.ts';
import { FirstEvents } from './first-events.ts';
import { type DagLimits, type DagServices, HotRoom, type RoomFacts } from './hot-room.ts';
import { LINE_DEPTH_MAX } from './line-draft.ts';
import { loadRoom } from './load-room.ts';
import { ResolutionMemo } from './resolution-memo.ts';
import { HotRoomDag } from './room-dag.ts';
import { RoomEventCache } from './room-events.ts';
import { BEFORE_ALL } from './state-point.ts';

export interface RoomDagsOptions {
  /** Rooms that stay in memory. */
  readonly hotRoomsMax?: number;
  readonly limits?: Partial<DagLimits>;
  /** Absent: a long computation is not interrupted. */
  readonly timers?: Pick<Timers, 'soon'>;
}

const defaultLimits: DagLimits = { lineDepthMax: LINE_DEPTH_MAX, lateRowsMax: 5_000, mergeRowsMax: 50_000 };

export function createRoomDags(db: Database, names: Names, options: RoomDagsOptions = {}): RoomDags {
  return new HotRoomDags(db, names, options);
}

/**
 * A room that fell out of the bound is still found while somebody holds it (a weak reference): two objects for one room
 * would not know of each other's writes. A unit under way holds its room.
 */
class HotRoomDags implements RoomDags {
  readonly #services: DagServices;
  readonly #hotRoomsMax: number;
  /** In the order of use. */
  readonly #hot = new Map<number, HotRoom>();
  readonly #cold = new Map<number, WeakRef<HotRoom>>();
  readonly #nids = new Map<RoomId, number>();
  readonly #opening = new Map<number, Promise<HotRoom>>();

  constructor(db: Database, names: Names, options: RoomDagsOptions) {
    this.#services = {
      db,
      names,
      lines: new CommittedLines(db),
      events: new RoomEventCache(db),
      limits: { ...defaultLimits, ...options.limits },
      pause: pauseWith(options.timers),
    };
    this.#hotRoomsMax = options.hotRoomsMax ?? 1_000;
  }

  async open(roomId: RoomId): Promise<RoomDag> {
    const dag = await this.find(roomId);
    if (dag === undefined) throw notFound(`This server does not know the room ${roomId}`);
    return dag;
  }

  async find(roomId: RoomId): Promise<RoomDag | undefined> {
    const nid = this.#nids.get(roomId);
    const hot = nid === undefined ? undefined : this.#inMemory(nid);
    if (hot !== undefined) return new HotRoomDag(hot);
    const row = await this.#services.db.one(roomById, { roomId });
    return row === undefined ? undefined : new HotRoomDag(await this.#load(row));
  }

  async openByNid(room: number): Promise<RoomDag> {
    const hot = this.#inMemory(room);
    if (hot !== undefined) return new HotRoomDag(hot);
    const row = await this.#services.db.one(roomByNid, { room });
    if (row === undefined) throw notFound('This server does not know the room');
    return new HotRoomDag(await this.#load(row));
  }

  begin(createEvent: RoomEvent): NewRoom {
    const { facts, writeRoom } = this.#newRoom(createEvent.roomId, createEvent.content['room_version'] ?? '1');
    const hot = this.#hotRoomOf({ ...facts, isNew: true });
    const first = new FirstEvents(hot);
    return {
      dag: new HotRoomDag(hot, first),
      handIn: () => {
        const last = first.handIn(writeRoom);
        this.#keep(hot);
        return last;
      },
    };
  }

  isHot(roomId: RoomId): boolean {
    const nid = this.#nids.get(roomId);
    return nid !== undefined && this.#inMemory(nid) !== undefined;
  }

  async adopt(roomId: RoomId, version: string): Promise<RoomDag> {
    const known = await this.find(roomId);
    if (known !== undefined) return this.#withVersion(known, version);
    const { facts, writeRoom } = this.#newRoom(roomId, version);
    const { committed } = this.#services.db.write(writeRoom);
    await committed;
    const hot = this.#hotRoomOf(facts);
    this.#keep(hot);
    return new HotRoomDag(hot);
  }

  /** Of a room that has no events yet, only an invite has said which version it has, and anybody can invite. */
  async #withVersion(known: RoomDag, version: string): Promise<RoomDag> {
    const hot = this.#inMemory(known.room);
    const isEmpty = hot !== undefined && hot.extremities.size === 0 && hot.mainTipPos === BEFORE_ALL;
    if (known.rules.version === version || !isEmpty) return known;
    rulesOf(version);
    await this.#services.db.write((unit) => unit.run(setRoomVersion, { room: known.room, version })).committed;
    this.#drop(known.room);
    return this.openByNid(known.room);
  }

  #newRoom(roomId: RoomId, version: unknown): { facts: RoomFacts; writeRoom: (unit: UnitBuilder) => void } {
    const rules = rulesOf(version);
    const [room, line] = [this.#services.db.nextId(), this.#services.db.nextId()];
    const facts: RoomFacts = {
      room,
      roomId,
      rules,
      mains: [{ fromPos: 0, line }],
      mainTipPos: BEFORE_ALL,
      extremities: [],
      notifySeq: 0,
      partialNid: null,
      create: undefined,
      isNew: false,
    };
    const writeRoom = (unit: UnitBuilder) => {
      unit.run(insertRoom, { room, roomId, version: rules.version, mainLine: line });
      unit.run(insertLine, { line, room, parent: null, parentPos: null, depth: 0, flags: LineFlag.main });
      unit.run(insertMain, { room, fromPos: 0, line });
    };
    return { facts, writeRoom };
  }

  #inMemory(room: number): HotRoom | undefined {
    const hot = this.#hot.get(room);
    if (hot !== undefined) {
      this.#hot.delete(room);
      this.#hot.set(room, hot);
      return hot;
    }
    const held = this.#cold.get(room)?.deref();
    if (held !== undefined) this.#keep(held);
    return held;
  }

  /** Two who ask at the same time get the same object. */
  #load(row: RoomRow): Promise<HotRoom> {
    const known = this.#inMemory(row.room);
    if (known !== undefined) return Promise.resolve(known);
    const opening = this.#opening.get(row.room) ?? this.#loadNow(row);
    this.#opening.set(row.room, opening);
    return opening;
  }

  async #loadNow(row: RoomRow): Promise<HotRoom> {
    try {
      const hot = this.#hotRoomOf(await loadRoom(this.#services, row));
      this.#keep(hot);
      return hot;
    } finally {
      this.#opening.delete(row.room);
    }
  }

  #hotRoomOf(facts: RoomFacts): HotRoom {
    return new HotRoom(this.#services, facts, new ResolutionMemo(), () => this.#drop(facts.room));
  }

  #keep(hot: HotRoom): void {
    this.#nids.set(hot.roomId, hot.room);
    this.#cold.delete(hot.room);
    this.#hot.set(hot.room, hot);
    if (this.#hot.size <= this.#hotRoomsMax) return;
    for (const [room, oldest] of this.#hot) {
      this.#hot.delete(room);
      this.#cold.set(room, new WeakRef(oldest));
      break;
    }
    if (this.#cold.size > this.#hotRoomsMax) this.#forgetReleased();
  }

  #forgetReleased(): void {
    for (const [room, held] of this.#cold) if (held.deref() === undefined) this.#cold.delete(room);
    for (const [roomId, room] of this.#nids)
      if (!this.#hot.has(room) && !this.#cold.has(room)) this.#nids.delete(roomId);
  }

  #drop(room: number): void {
    this.#hot.delete(room);
    this.#cold.delete(room);
  }
}

function pauseWith(timers: Pick<Timers, 'soon'> | undefined): () => Promise<void> {
  if (timers === undefined) return () => Promise.resolve();
  return () =>
    new Promise((resolve) => {
      timers.soon(resolve);
    });
}

function rulesOf(version: unknown): RoomVersionRules {
  const rules = typeof version === 'string' ? findRoomVersion(version) : undefined;
  if (rules === undefined) throw new Error(`the room version ${String(version)} is not known`);
  return rules;
}
