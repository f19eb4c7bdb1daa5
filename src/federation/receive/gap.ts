/**
 * What it takes to ask other servers for what an event refers to: whom to ask, and how much. One object for one attempt; when
 * its time, questions or bytes are used up the attempt has failed.
 */
import type { EventId, RoomId, ServerName } from '../../matrix/ids/ids.ts';
import type { JsonObject } from '../../matrix/json/json-value.ts';
import { limits } from '../../platform/limits.ts';
import { serverOf } from '../../rooms/context.ts';
import type { RoomDag } from '../../rooms/dag/contract.ts';
import type { CheckedEvent } from '../../rooms/receive-event.ts';
import { serversInRoom } from '../../storage/stores/membership-store.ts';
import { placesByIds } from '../../storage/stores/room-graph-store.ts';
import { FederationError } from '../federation-error.ts';
import type { AskOptions } from '../remote-rooms.ts';
import { accessListOf } from '../room-acl.ts';
import type { ReceiveContext } from './context.ts';

/** What an event refers to could not be had. */
export class GapNotFilled extends Error {
  override readonly name = 'GapNotFilled';
}

/** An event that is stored, with or without a place. */
export interface KnownPlace {
  readonly eventId: EventId;
  readonly nid: number;
  /** null: it has no place. */
  readonly pos: number | null;
  readonly skey: number | null;
  readonly flags: number;
}

/** Ids of one query. */
const idsPerQuery = 2_000;

export class Gap {
  readonly ctx: ReceiveContext;
  readonly roomId: RoomId;
  readonly rules: RoomDag['rules'];
  readonly room: number;
  readonly #servers: readonly ServerName[];
  readonly #failed = new Set<ServerName>();
  readonly #options: AskOptions;
  #questions = 0;
  #bytes = 0;

  constructor(
    ctx: ReceiveContext,
    { roomId, rules, room }: Pick<RoomDag, 'roomId' | 'rules' | 'room'>,
    servers: readonly ServerName[],
    signal: AbortSignal,
  ) {
    this.ctx = ctx;
    this.roomId = roomId;
    this.rules = rules;
    this.room = room;
    this.#servers = servers;
    this.#options = { signal };
  }

  get signal(): AbortSignal | undefined {
    return this.#options.signal;
  }

  /**
   * The first useful answer, of one server after another; undefined: none had one. A server that does not answer is not asked
   * again for this gap.
   */
  async ask<T>(
    question: (server: ServerName, options: AskOptions) => Promise<T>,
    isUseful: (answer: T) => boolean = () => true,
  ): Promise<T | undefined> {
    for (const server of this.#servers) {
      if (this.#failed.has(server)) continue;
      this.#options.signal?.throwIfAborted();
      if (++this.#questions > limits.gapQuestionsMax + limits.gapFetchesMax)
        throw new GapNotFilled('too many questions were needed');
      try {
        const answer = await question(server, this.#options);
        if (isUseful(answer)) return answer;
      } catch (error) {
        if (!(error instanceof FederationError)) throw error;
        if (error.failure !== 'answered') this.#failed.add(server);
      }
    }
    return undefined;
  }

  /** Those of the events that are genuine and of this room. Throws GapNotFilled when they are too many. */
  async verified(pdus: readonly JsonObject[]): Promise<CheckedEvent[]> {
    if (pdus.length === 0) return [];
    const checked: CheckedEvent[] = [];
    for (const received of await this.ctx.verifier.verify(pdus, this.rules)) {
      if (!received.ok || received.event.roomId !== this.roomId) continue;
      this.#bytes += received.body.length;
      checked.push({ event: received.event, body: received.body });
    }
    if (this.#bytes > limits.gapBytesMax) throw new GapNotFilled('the events are too large');
    return checked;
  }

  /** Where the events stand, of those that are stored in this room. */
  async places(eventIds: readonly EventId[]): Promise<Map<EventId, KnownPlace>> {
    const places = new Map<EventId, KnownPlace>();
    for (let at = 0; at < eventIds.length; at += idsPerQuery) {
      const some = eventIds.slice(at, at + idsPerQuery);
      for (const row of await this.ctx.rooms.db.all(placesByIds, { eventIds: some })) {
        if (row.room !== this.room) continue;
        const { nid, pos, skey, flags } = row;
        places.set(row.event_id as EventId, { eventId: row.event_id as EventId, nid, pos, skey, flags });
      }
    }
    return places;
  }
}

/** The servers to ask, the one that named the event first. */
export async function serversToAsk(
  ctx: ReceiveContext,
  dag: RoomDag,
  first: readonly ServerName[],
): Promise<ServerName[]> {
  const limit = limits.gapServersMax * 2;
  const others = await ctx.rooms.db.all(serversInRoom, { room: dag.room, limit });
  const servers = new Set<ServerName>([...first, ...others.map(({ name }) => name as ServerName)]);
  const acl = await accessListOf(dag);
  return [...servers]
    .filter((name) => !ctx.rooms.localServers.isLocal(name) && acl.allows(name))
    .slice(0, limits.gapServersMax);
}

export const senderServer = ({ event }: CheckedEvent): ServerName => serverOf(event.sender);
