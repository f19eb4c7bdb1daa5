/**
 * Rooms that were joined before their members were known: their states are fetched behind, a few rooms at a time, and begun again
 * until they are whole or nobody of ours is in the room any more. https://github.com/matrix-org/matrix-spec-proposals/pull/3902
 */
import type { RoomId, ServerName } from '../../matrix/ids/ids.ts';
import { limits } from '../../platform/limits.ts';
import type { Metrics } from '../../platform/metrics.ts';
import type { Random, TimerHandle } from '../../platform/ports.ts';
import { Semaphore, SemaphoreFull } from '../../platform/semaphore.ts';
import type { RoomDag } from '../../rooms/dag/contract.ts';
import { fillRoom } from '../../rooms/fill-room.ts';
import type { PartialRoom } from '../../rooms/partial-rooms.ts';
import { isResident, otherServersIn } from '../../rooms/residence.ts';
import { findStoredEvent } from '../../rooms/stored-event.ts';
import { UnitFailed } from '../../storage/database.ts';
import { joinedServers } from '../../storage/stores/outgoing-store.ts';
import type { FederationClient, StateOpener } from '../contract.ts';
import { FederationError } from '../federation-error.ts';
import type { ReceiveContext } from '../receive/context.ts';
import { Gap, GapNotFilled } from '../receive/gap.ts';
import type { PartialContext, PartialProgress } from './context.ts';
import { isAllowedIn } from '../room-acl.ts';
import { fetchState } from './fetch-state.ts';
import { partialCounters } from './partial-counters.ts';

export interface PartialStatesParts {
  readonly receiving: ReceiveContext;
  readonly client: FederationClient;
  readonly states: StateOpener;
  readonly random: Random;
  readonly metrics: Metrics;
  /** Events of the room may go on that waited. */
  wake(room: number): void;
  /** Servers of which it was not known that they are in the room are sent what they missed since a position. */
  missed(serverNids: readonly number[], room: number, since: number): void;
  /** Told in one sentence how far a room has come. */
  readonly onProgress: (message: string, details: Readonly<Record<string, unknown>>) => void;
}

export interface ListedProgress extends PartialProgress {
  readonly roomId: RoomId;
}

interface Work {
  readonly entry: PartialRoom;
  readonly progress: PartialProgress;
  readonly stop: AbortController;
  /** Waits for the next attempt. */
  timer: TimerHandle | undefined;
  retry: (() => void) | undefined;
}

export class PartialStates {
  readonly #parts: PartialStatesParts;
  readonly #ctx: PartialContext;
  readonly #turns = new Semaphore(limits.partialRoomsAtOnceMax, Infinity);
  readonly #rooms = new Map<number, Work>();
  readonly #running = new Set<Promise<void>>();
  readonly #unfollow: () => void;
  #isClosed = false;

  constructor(parts: PartialStatesParts) {
    this.#parts = parts;
    const { receiving, client, states } = parts;
    this.#ctx = { receiving, client, states, counters: partialCounters(parts.metrics) };
    this.#unfollow = receiving.rooms.db.onCommitted(({ wakes }) => {
      for (const wake of wakes) {
        if (wake.kind === 'partial-room') this.#changed(wake.room, wake.entry);
        else if (wake.kind === 'membership' && wake.membership !== 'join') this.#left(wake.room);
      }
    });
    parts.metrics.measured(
      'veche_federation_partial_rooms',
      'Rooms that were joined and whose members are not known yet',
      () => this.#rooms.size,
    );
  }

  /** Goes on with those that were not whole when the server ended. To be called once. */
  async resume(): Promise<void> {
    const { partialRooms } = this.#ctx.receiving.rooms;
    await partialRooms.load();
    for (const entry of partialRooms.all()) this.#changed(entry.room, entry);
  }

  /** Another server answers again: rooms that wait for nobody better are tried at once. */
  heardFrom(): void {
    for (const { retry } of this.#rooms.values()) retry?.();
  }

  /** Of all rooms whose state is to come. */
  async progress(): Promise<readonly ListedProgress[]> {
    const { dags } = this.#ctx.receiving.rooms;
    const listed = [...this.#rooms.values()].map(async ({ progress }) => {
      const { roomId } = await dags.openByNid(progress.room);
      return { ...progress, roomId };
    });
    return Promise.all(listed);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#unfollow();
    for (const work of this.#rooms.values()) halt(work, new GapNotFilled('the server is closing'));
    await Promise.all(this.#running);
  }

  #changed(room: number, entry: PartialRoom | undefined): void {
    const known = this.#rooms.get(room);
    if (entry !== undefined && entry.filledPos === undefined && entry.joinId === known?.entry.joinId) return;
    if (known !== undefined) {
      this.#rooms.delete(room);
      halt(known, new Superseded('there is nothing more to fetch'));
    }
    if (entry === undefined || entry.filledPos !== undefined || this.#isClosed) return;
    const work: Work = {
      entry,
      progress: newProgress(entry),
      stop: new AbortController(),
      timer: undefined,
      retry: undefined,
    };
    this.#rooms.set(room, work);
    const running = this.#run(work).finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  /** Nobody of ours may be left. */
  #left(room: number): void {
    const work = this.#rooms.get(room);
    if (work === undefined) return;
    const running: Promise<void> = this.#abandonIfLeft(work)
      .then(
        () => undefined,
        (error: unknown) => this.#ctx.receiving.onFailed(error),
      )
      .finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  async #abandonIfLeft(work: Work): Promise<boolean> {
    const { rooms } = this.#ctx.receiving;
    const { room } = work.entry;
    const { roomId } = await rooms.dags.openByNid(room);
    const isLeft = await rooms.locks.run(roomId, async () => {
      if (this.#rooms.get(room) !== work || (await isResident(rooms, room))) return false;
      await rooms.partialRooms.abandon(room);
      return true;
    });
    if (isLeft) this.#ctx.counters.attempts.add({ outcome: 'abandoned' });
    return isLeft;
  }

  async #run(work: Work): Promise<void> {
    const { progress, stop } = work;
    while (!stop.signal.aborted) {
      try {
        await this.#turns.run(() => this.#attempt(work), stop.signal);
        return;
      } catch (error) {
        if (stop.signal.aborted) return;
        progress.failures += 1;
        this.#failed(work, error);
      }
      await this.#pause(work);
    }
  }

  async #attempt(work: Work): Promise<void> {
    const { receiving, counters } = this.#ctx;
    const { rooms } = receiving;
    const { entry, progress, stop } = work;
    if (await this.#abandonIfLeft(work)) return;
    const dag = await rooms.dags.openByNid(entry.room);
    const join = await findStoredEvent(rooms, entry.joinId);
    if (join === undefined) throw new Error(`our join ${entry.joinId} is not stored`);
    const servers = await this.#serversFor(dag, progress.failures);
    const gap = new Gap(receiving, dag, servers, stop.signal);
    const isLastResort = progress.failures >= attemptsBeforeLastResort;
    const fetching = { ctx: this.#ctx, gap, servers, signal: stop.signal, progress, isLastResort };
    const state = await fetchState(fetching, join.event);
    const told = new Set([
      ...(await rooms.partialRooms.serverNids(entry.room)),
      ...(await this.#joinedServers(entry.room)),
    ]);
    const filled = await fillRoom(rooms, entry, state);
    if (filled === undefined) return;
    const untold = (await this.#joinedServers(entry.room)).filter((server) => !told.has(server));
    if (untold.length > 0) this.#parts.missed(untold, entry.room, (join.header.pos ?? 1) - 1);
    counters.attempts.add({ outcome: 'completed' });
    this.#parts.wake(entry.room);
    this.#parts.onProgress('A room that was joined in part has its whole state', {
      roomId: dag.roomId,
      events: state.length,
      missing: progress.wanted - progress.stored,
      failures: progress.failures,
      ms: rooms.clock.nowMs() - entry.startedTs,
      accepted: filled.accepted.length,
      rejected: filled.rejected.length,
    });
  }

  async #joinedServers(room: number): Promise<number[]> {
    const rows = await this.#ctx.receiving.rooms.db.all(joinedServers, { room });
    return rows.map((row) => row.server_nid);
  }

  /** The one through which it was joined comes first; later attempts begin with others. */
  async #serversFor(dag: RoomDag, failures: number): Promise<ServerName[]> {
    const { rooms } = this.#ctx.receiving;
    const named = await rooms.partialRooms.servers(dag.room);
    const known = await otherServersIn(rooms, dag.room, limits.partialRoomServersMax);
    const others = [...new Set([...named, ...known])].filter((server) => !rooms.localServers.isLocal(server));
    const start = failures === 0 ? 0 : (failures * limits.partialRoomServersMax) % Math.max(1, others.length);
    const servers: ServerName[] = [];
    const [first] = others;
    for (const server of new Set([...(first === undefined ? [] : [first]), ...others.slice(start), ...others])) {
      if (servers.length === limits.partialRoomServersMax) break;
      if (await isAllowedIn(dag, server)) servers.push(server);
    }
    return servers;
  }

  #failed({ entry, progress }: Work, error: unknown): void {
    this.#ctx.counters.attempts.add({ outcome: 'failed' });
    const isExpected =
      error instanceof FederationError ||
      error instanceof GapNotFilled ||
      error instanceof SemaphoreFull ||
      error instanceof UnitFailed;
    if (!isExpected) this.#ctx.receiving.onFailed(error);
    progress.lastError = error instanceof Error ? error.message : String(error);
    this.#ctx.receiving.onNotice('The state of a room that was joined in part could not be had yet', {
      joinId: entry.joinId,
      failures: progress.failures,
      reason: progress.lastError,
      stored: progress.stored,
      wanted: progress.wanted,
    });
  }

  async #pause(work: Work): Promise<void> {
    const { timers, rooms } = this.#ctx.receiving;
    const { progress, stop } = work;
    const delayMs = this.#delayMs(progress.failures);
    progress.retryTs = rooms.clock.nowMs() + delayMs;
    progress.server = undefined;
    await new Promise<void>((resolve) => {
      work.retry = resolve;
      work.timer = timers.after(delayMs, resolve);
      if (stop.signal.aborted) resolve();
    });
    work.timer?.cancel();
    work.retry = undefined;
    progress.retryTs = undefined;
  }

  /** Twice as long after each failure, a quarter more or less, so that not all come back at once. */
  #delayMs(failures: number): number {
    const doubled = limits.partialRoomRetryMs * 2 ** Math.min(failures - 1, 30);
    const delay = Math.min(doubled, limits.partialRoomRetryMsMax);
    return Math.round(delay * (0.75 + this.#parts.random.int(500) / 1_000));
  }
}

/** Attempts after which the state is taken as it can be had. */
const attemptsBeforeLastResort = 3;

/** The room is whole, was left, or was joined anew. */
class Superseded extends Error {
  override readonly name = 'Superseded';
}

function halt({ stop, retry }: Work, reason: Error): void {
  stop.abort(reason);
  retry?.();
}

const newProgress = ({ room, joinId, startedTs }: PartialRoom): PartialProgress => ({
  room,
  joinId,
  startedTs,
  failures: 0,
  lastError: undefined,
  retryTs: undefined,
  server: undefined,
  wanted: 0,
  stored: 0,
});
