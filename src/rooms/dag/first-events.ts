/**
 * The events with which a room of ours begins, in one unit: each is in memory as soon as it is received, so that the next is
 * built on it, and nothing is written before all are there. Nobody else knows the room until then.
 */
import type { RoomEvent } from '../../matrix/events/room-event.ts';
import type { EventId } from '../../matrix/ids/ids.ts';
import type { UnitBuilder } from '../../storage/database.ts';
import { insertExtremity } from '../../storage/stores/room-graph-store.ts';
import type { Placed, ReceiveOptions } from './contract.ts';
import type { HotRoom } from './hot-room.ts';
import { type TipPlan, emitPlan, isOnTip, placedAt, planOnTip, rememberPlace, rememberState } from './place-on-tip.ts';
import { refusal } from './placed.ts';
import { NOW } from './state-point.ts';
import type { Pin } from './write-through-cache.ts';

export class FirstEvents {
  readonly #room: HotRoom;
  readonly #received: { readonly plan: TipPlan; readonly options: ReceiveOptions }[] = [];
  readonly #pin: Pin = { settled: false };

  constructor(room: HotRoom) {
    this.#room = room;
  }

  /** A local event on the one before. Where it has its place is told by `handIn`. */
  async receive(event: RoomEvent, body: string, options: ReceiveOptions): Promise<Placed> {
    if (!isOnTip(this.#room, event)) throw new Error('the first events of a room follow each other');
    const plan = await planOnTip(this.#room, event, body, { ...options, local: true });
    if (!('nid' in plan)) return refusal(this.#room, plan);
    const placed = placedAt(this.#room, plan, NOW);
    rememberPlace(this.#room, plan, placed, this.#pin);
    rememberState(this.#room, plan, this.#pin);
    this.#received.push({ plan, options });
    return placed;
  }

  find(eventId: EventId): RoomEvent | undefined {
    return this.#received.find(({ plan }) => plan.event.eventId === eventId)?.plan.event;
  }

  /** `first`: further statements of the unit, before the others. Gives the last event. */
  handIn(first: (unit: UnitBuilder) => void): Placed {
    const last = this.#received.at(-1);
    if (last === undefined) throw new Error('a room begins with its create event');
    let placed: Placed[] = [];
    const { ticket, pin } = this.#room.write((unit) => {
      first(unit);
      placed = this.#received.map(({ plan, options }) => emitPlan(unit, this.#room, plan, options));
      unit.run(insertExtremity, { room: this.#room.room, nid: last.plan.nid });
    }, this.#pin);
    for (const [index, { plan }] of this.#received.entries()) rememberPlace(this.#room, plan, placed[index]!, pin);
    return { ...placed.at(-1)!, ticket };
  }
}
