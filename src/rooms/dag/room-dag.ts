import type { RoomEvent, StateLookup, StateTuple } from '../../matrix/events/room-event.ts';
import type { EventId, RoomId } from '../../matrix/ids/ids.ts';
import type { RoomVersionRules } from '../../matrix/room-versions/rules.ts';
import type {
  Frontier,
  LaidState,
  Placed,
  Purged,
  ReceiveOptions,
  RejudgeOptions,
  Rejudged,
  RoomDag,
  StoredOutlier,
} from './contract.ts';
import { limits } from '../../platform/limits.ts';
import type { FirstEvents } from './first-events.ts';
import type { HotRoom } from './hot-room.ts';
import { fillRoom, layFullState } from './fill.ts';
import { placeAnywhere } from './place-anywhere.ts';
import { findNew, isOnTip, placeOnTip } from './place-on-tip.ts';
import { purgeRoom } from './purge.ts';
import { rejudgeEvent } from './rejudge.ts';
import { storeOutliers } from './store-outliers.ts';

/** The contract over a room in memory. */
export class HotRoomDag implements RoomDag {
  readonly #hot: HotRoom;
  /** Of a room that is being made. */
  readonly #first: FirstEvents | undefined;

  constructor(hot: HotRoom, first?: FirstEvents) {
    this.#hot = hot;
    this.#first = first;
  }

  get room(): number {
    return this.#hot.room;
  }
  get roomId(): RoomId {
    return this.#hot.roomId;
  }
  get rules(): RoomVersionRules {
    return this.#hot.rules;
  }

  frontier(): Frontier {
    this.#hot.mustBeAlive();
    const newestFirst = [...this.#hot.extremities.values()].sort((a, b) => (b.pos ?? 0) - (a.pos ?? 0));
    let depth = 0;
    for (const place of newestFirst) depth = Math.max(depth, place.depth);
    return {
      prevEvents: newestFirst.slice(0, limits.prevEventsMax),
      extremities: newestFirst.length,
      depth: Math.min(depth + 1, Number.MAX_SAFE_INTEGER),
    };
  }

  async currentEvent(type: string, stateKey: string): Promise<RoomEvent | undefined> {
    this.#hot.mustBeAlive();
    return (await this.#hot.current.find(type, stateKey)).value?.event;
  }

  currentEvents(tuples: readonly StateTuple[]): Promise<StateLookup> {
    this.#hot.mustBeAlive();
    return this.#hot.current.prefetch(tuples);
  }

  async receive(event: RoomEvent, body: string, options: ReceiveOptions = {}): Promise<Placed> {
    const hot = this.#hot;
    this.#mustBeOfThisRoom(event);
    if (this.#first !== undefined) return this.#first.receive(event, body, options);
    if (maybeUsual(options) && isOnTip(hot, event)) {
      const placed = await placeOnTip(hot, event, body, options);
      if (placed !== undefined) return placed;
    }
    return placeAnywhere(hot, event, body, options);
  }

  async findNew(eventIds: readonly EventId[]): Promise<ReadonlySet<EventId>> {
    this.#hot.mustBeAlive();
    return findNew(this.#hot, eventIds);
  }

  unwritten(eventId: EventId): RoomEvent | undefined {
    return this.#first?.find(eventId);
  }

  notifySeq(): number {
    return this.#hot.notifySeq;
  }

  isPartial(): boolean {
    return this.#hot.partialNid !== null;
  }

  async outlier(event: RoomEvent, body: string): Promise<StoredOutlier> {
    const [stored] = await this.outliers([{ event, body }]);
    return stored!;
  }

  async outliers(
    events: readonly { readonly event: RoomEvent; readonly body: string }[],
  ): Promise<readonly StoredOutlier[]> {
    for (const { event } of events) this.#mustBeOfThisRoom(event);
    return storeOutliers(this.#hot, events);
  }

  async rejudge(
    eventId: EventId,
    given?: ReadonlyMap<EventId, readonly EventId[]>,
    options: RejudgeOptions = {},
  ): Promise<Rejudged> {
    return rejudgeEvent(this.#hot, eventId, given, options);
  }

  async layFullState(fullState: readonly EventId[]): Promise<LaidState> {
    return layFullState(this.#hot, fullState);
  }

  async fill(laid: LaidState, options: RejudgeOptions = {}): Promise<Rejudged> {
    return fillRoom(this.#hot, laid, options);
  }

  bodyReplaced(nid: number, event: RoomEvent): void {
    this.#hot.services.events.put(nid, event);
    this.#hot.current.replaceEvent(nid, event);
    const { create } = this.#hot;
    if (create?.place.nid === nid) this.#hot.create = { ...create, event };
  }

  async purge(cutPos: number): Promise<Purged> {
    return purgeRoom(this.#hot, cutPos);
  }

  #mustBeOfThisRoom(event: RoomEvent): void {
    this.#hot.mustBeAlive();
    if (event.roomId !== this.#hot.roomId) throw new Error(`${event.eventId} is not of this room`);
  }
}

function maybeUsual(options: ReceiveOptions): boolean {
  return (
    options.given === undefined &&
    options.backfill !== true &&
    options.entering !== true &&
    options.partial !== true &&
    options.policyDenies !== true
  );
}
