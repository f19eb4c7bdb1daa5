/**
 * Fetches what is missing of rooms' history when somebody comes to read it.
 * https://spec.matrix.org/v1.19/server-server-api/#backfilling-and-retrieving-missing-events
 */
import { MatrixError } from '../../matrix/errors.ts';
import type { EventId, RoomId, ServerName } from '../../matrix/ids/ids.ts';
import { Lru } from '../../platform/lru.ts';
import { limits } from '../../platform/limits.ts';
import type { Clock, Random, Timers } from '../../platform/ports.ts';
import { Semaphore, SemaphoreFull } from '../../platform/semaphore.ts';
import type { RoomsContext } from '../../rooms/context.ts';
import type { RoomDag } from '../../rooms/dag/contract.ts';
import type { HistoryByTime, HistoryGap, RemoteHistory } from '../../rooms/ports.ts';
import { placesByIds } from '../../storage/stores/room-graph-store.ts';
import { FederationError } from '../federation-error.ts';
import type { Receiving } from '../receive/index.ts';
import { GapNotFilled } from '../receive/gap.ts';
import type { AskOptions, EventAtTime, RemoteRooms } from '../remote-rooms.ts';
import { serversToAsk } from './servers-to-ask.ts';

export interface HistoryParts {
  readonly rooms: RoomsContext;
  readonly remoteRooms: RemoteRooms;
  readonly receiving: Pick<Receiving, 'receivePdus'>;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  /** Told of failures that are ours. */
  readonly onFailed: (error: unknown) => void;
}

export interface History extends RemoteHistory {
  /** Asks nobody any more, and resolves when what was begun has ended. */
  close(): Promise<void>;
}

export function createHistory(parts: HistoryParts): History {
  return new FetchedHistory(parts);
}

class FetchedHistory implements History {
  readonly #parts: HistoryParts;
  readonly #turns = new Semaphore(limits.historyFetchesAtOnceMax, limits.historyFetchesWaitingMax);
  /** One at a time for each gap, whoever asks. */
  readonly #fetching = new Map<string, Promise<boolean>>();
  /** Gaps that nobody could fill, and until when nobody is asked again. */
  readonly #failed = new Lru<string, number>({ sizeMax: limits.historyFailuresMax });
  readonly #closing = new AbortController();

  constructor(parts: HistoryParts) {
    this.#parts = parts;
  }

  async fetchBefore(gap: HistoryGap): Promise<boolean> {
    return (await this.#inTime(this.#once(gap.eventId, () => this.#fillGap(gap)))) ?? false;
  }

  async fetchByTime(question: HistoryByTime): Promise<EventId | undefined> {
    return this.#inTime(this.#guarded(() => this.#findByTime(question)));
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.allSettled(this.#fetching.values());
  }

  /** What takes longer goes on. */
  async #inTime<T>(work: Promise<T>): Promise<T | undefined> {
    const late = Promise.withResolvers<undefined>();
    const timer = this.#parts.timers.after(limits.historyWaitMs, () => late.resolve(undefined));
    try {
      return await Promise.race([work, late.promise]);
    } finally {
      timer.cancel();
    }
  }

  async #once(key: string, question: () => Promise<boolean>): Promise<boolean> {
    const running = this.#fetching.get(key);
    if (running !== undefined) return running;
    if ((this.#failed.find(key) ?? 0) > this.#parts.clock.monotonicMs()) return false;
    const fetching = this.#guarded(question).then((isFilled) => isFilled ?? false);
    this.#fetching.set(key, fetching);
    try {
      const isFilled = await fetching;
      if (!isFilled) this.#failed.set(key, this.#parts.clock.monotonicMs() + limits.historyRetryMs);
      return isFilled;
    } finally {
      this.#fetching.delete(key);
    }
  }

  /** Nobody waits for history in vain because something went wrong with it. */
  async #guarded<T>(question: () => Promise<T>): Promise<T | undefined> {
    try {
      return await this.#turns.run(question, this.#closing.signal);
    } catch (error) {
      if (!(error instanceof SemaphoreFull) && !this.#closing.signal.aborted) this.#parts.onFailed(error);
      return undefined;
    }
  }

  async #fillGap({ roomId, eventId, missing }: HistoryGap): Promise<boolean> {
    const dag = await this.#parts.rooms.dags.open(roomId);
    const from = missing.slice(0, limits.backfillFromMax);
    for (const server of await serversToAsk(this.#parts, dag, eventId)) {
      if (this.#closing.signal.aborted) return false;
      await this.#fetchFrom(server, dag, from, { before: eventId });
      if (await this.#hasAnyPlace(dag, from)) return true;
    }
    return false;
  }

  /** Events and what comes before them, into the timeline before another one. What a server does not have, another one may. */
  async #fetchFrom(
    server: ServerName,
    { roomId }: RoomDag,
    from: readonly EventId[],
    place: { readonly before: EventId; readonly apartBy?: number },
    limit: number = limits.historyEventsPerQuestion,
  ): Promise<void> {
    try {
      const pdus = await this.#parts.remoteRooms.backfill(server, { roomId, from, limit }, this.#asking);
      if (pdus.length > 0)
        await this.#parts.receiving.receivePdus(server, roomId, pdus, { backfill: true, from, ...place });
    } catch (error) {
      if (!isTheirs(error)) throw error;
    }
  }

  async #findByTime({ roomId, ts, dir, closerThanMs, gap }: HistoryByTime): Promise<EventId | undefined> {
    const dag = await this.#parts.rooms.dags.open(roomId);
    for (const server of await serversToAsk(this.#parts, dag, gap)) {
      if (this.#closing.signal.aborted) return undefined;
      const found = await this.#closestOf(server, roomId, ts, dir);
      if (found === undefined || Math.abs(found.originServerTs - ts) >= closerThanMs) continue;
      if (await this.#hasAnyPlace(dag, [found.eventId])) return found.eventId;
      await this.#fetchFrom(server, dag, [found.eventId], { before: gap, apartBy: roomBehindIsland }, islandEvents);
      if (await this.#hasAnyPlace(dag, [found.eventId])) return found.eventId;
    }
    return undefined;
  }

  async #closestOf(server: ServerName, roomId: RoomId, ts: number, dir: 'f' | 'b'): Promise<EventAtTime | undefined> {
    try {
      const found = await this.#parts.remoteRooms.timestampToEvent(server, { roomId, ts, dir }, this.#asking);
      const isAsAsked = dir === 'f' ? found.originServerTs >= ts : found.originServerTs <= ts;
      return isAsAsked ? found : undefined;
    } catch (error) {
      if (!isTheirs(error)) throw error;
      return undefined;
    }
  }

  async #hasAnyPlace({ room }: RoomDag, eventIds: readonly EventId[]): Promise<boolean> {
    const places = await this.#parts.rooms.db.all(placesByIds, { eventIds: [...eventIds] });
    return places.some((place) => place.room === room && place.pos !== null);
  }

  get #asking(): AskOptions {
    return { timeoutMs: limits.historyTimeoutMs, isUrgent: true, signal: this.#closing.signal };
  }
}

/** Of what is fetched for a time: the event itself, and what a client shows around it. */
const islandEvents = 20;
/** Order values for what lies between the two and may be fetched later. */
const roomBehindIsland = 1_000_000;

/** A server that does not answer, or has not what it takes. */
const isTheirs = (error: unknown): boolean =>
  error instanceof FederationError || error instanceof GapNotFilled || error instanceof MatrixError;
