/**
 * Events that were acknowledged and wait on disk for what they refer to. Bounded for each room, and for each room and server:
 * an event for which there is no room is refused, and fetched when something that is accepted refers to it.
 */
import { roomEventFromPdu } from '../../matrix/events/room-event-from-pdu.ts';
import { parseStoredPdu } from '../../matrix/events/stored-pdu.ts';
import type { EventId, ServerName } from '../../matrix/ids/ids.ts';
import { limits } from '../../platform/limits.ts';
import { decodeEventBody, encodeEventBody } from '../../storage/event-body.ts';
import type { UnitBuilder, UnitTicket } from '../../storage/database.ts';
import { stagedPdusOf, stagedSizes, stagePdu, unstagePdu } from '../../storage/stores/staged-pdu-store.ts';
import type { RoomsContext } from '../../rooms/context.ts';
import type { RoomDag } from '../../rooms/dag/contract.ts';
import type { CheckedEvent } from '../../rooms/receive-event.ts';

export interface StagedPdu extends CheckedEvent {
  readonly origin: ServerName;
  /** When it came, in milliseconds since the Unix epoch. */
  readonly ts: number;
}

/** How much of one room waits. */
interface RoomSize {
  bytes: number;
  pdus: number;
  /** By the number of the server that sent them. */
  readonly perServer: Map<number, number>;
}

export class StagedPdus {
  readonly #ctx: RoomsContext;
  /** Rooms in which nothing waits have no entry. */
  readonly #sizes = new Map<number, RoomSize>();

  constructor(ctx: RoomsContext) {
    this.#ctx = ctx;
  }

  /** What waited when the server ended. To be called once, before anything else. Gives the rooms. */
  async resume(): Promise<number[]> {
    for (const { room, server_nid: server, pdus, bytes } of await this.#ctx.db.all(stagedSizes, {})) {
      const size = this.#sizeOf(room);
      size.pdus += pdus;
      size.bytes += bytes;
      size.perServer.set(server, pdus);
    }
    return [...this.#sizes.keys()];
  }

  isWaiting(room: number): boolean {
    return this.#sizes.has(room);
  }

  /** How many events wait, in all rooms. */
  get count(): number {
    let count = 0;
    for (const { pdus } of this.#sizes.values()) count += pdus;
    return count;
  }

  /**
   * Of the events, those for which there is room; they wait, and stay when the ticket's promise resolves. With the room's lock.
   */
  async stage<Pdu extends CheckedEvent>(
    dag: RoomDag,
    origin: ServerName,
    pdus: readonly Pdu[],
  ): Promise<{ readonly staged: readonly Pdu[]; readonly ticket: UnitTicket | undefined }> {
    if (pdus.length === 0) return { staged: [], ticket: undefined };
    const { db, clock } = this.#ctx;
    const server = await this.#ctx.names.serverNid(origin);
    const known = new Set((await this.#rows(dag.room)).map((row) => row.event_id));
    const ts = clock.nowMs();
    const waiting = pdus.filter(({ event }) => known.has(event.eventId));
    const fresh = pdus
      .filter(({ event }) => !known.has(event.eventId))
      .filter((pdu) => this.#take(dag.room, server, pdu));
    if (fresh.length === 0) return { staged: waiting, ticket: undefined };
    const ticket = db.write((unit) => {
      for (const { event, body } of fresh) {
        const row = { room: dag.room, eventId: event.eventId, nid: db.nextId(), server, ts };
        unit.run(stagePdu, { ...row, body: encodeEventBody(body) });
      }
    });
    ticket.committed.catch(() => {
      for (const pdu of fresh) this.#give(dag.room, server, pdu);
    });
    return { staged: [...waiting, ...fresh], ticket };
  }

  /** Everything that waits in the room, oldest first. */
  async load(dag: RoomDag): Promise<StagedPdu[]> {
    const staged: StagedPdu[] = [];
    const rows = await this.#rows(dag.room);
    const origins = await this.#ctx.names.serverNames(rows.map((row) => row.server_nid));
    for (const [index, row] of rows.entries()) {
      const body = decodeEventBody(row.body);
      const event = roomEventFromPdu(parseStoredPdu(body, dag.rules), dag.rules, row.event_id as EventId);
      staged.push({ event, body, origin: origins[index]!, ts: row.ts });
    }
    return staged;
  }

  /** They wait no longer, when the unit is committed. */
  unstage(unit: UnitBuilder, room: number, pdus: readonly StagedPdu[]): void {
    for (const { event } of pdus) unit.run(unstagePdu, { room, eventId: event.eventId });
  }

  /** To be called when `unstage` is on disk. */
  async unstaged(room: number, pdus: readonly StagedPdu[]): Promise<void> {
    for (const pdu of pdus) this.#give(room, await this.#ctx.names.serverNid(pdu.origin), pdu);
  }

  #rows(room: number) {
    return this.#ctx.db.all(stagedPdusOf, { room, limit: limits.stagedPdusPerRoomMax });
  }

  /** false: there is no room for it. */
  #take(room: number, server: number, { body }: CheckedEvent): boolean {
    const size = this.#sizes.get(room) ?? newSize();
    const ofServer = size.perServer.get(server) ?? 0;
    if (size.pdus >= limits.stagedPdusPerRoomMax || ofServer >= limits.stagedPdusPerServerMax) return false;
    if (size.bytes + body.length > limits.stagedBytesPerRoomMax) return false;
    this.#sizes.set(room, size);
    size.pdus += 1;
    size.bytes += body.length;
    size.perServer.set(server, ofServer + 1);
    return true;
  }

  #give(room: number, server: number, { body }: CheckedEvent): void {
    const size = this.#sizeOf(room);
    const left = (size.perServer.get(server) ?? 1) - 1;
    size.pdus -= 1;
    size.bytes = Math.max(0, size.bytes - body.length);
    if (left > 0) size.perServer.set(server, left);
    else size.perServer.delete(server);
    if (size.pdus <= 0) this.#sizes.delete(room);
  }

  #sizeOf(room: number): RoomSize {
    const known = this.#sizes.get(room);
    if (known !== undefined) return known;
    const size = newSize();
    this.#sizes.set(room, size);
    return size;
  }
}

const newSize = (): RoomSize => ({ pdus: 0, bytes: 0, perServer: new Map() });
