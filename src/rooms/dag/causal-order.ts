import type { RoomEvent } from '../../matrix/events/room-event.ts';
import type { EventId } from '../../matrix/ids/ids.ts';
import { PriorityQueue } from '../../matrix/state-res/priority-queue.ts';
import type { EventPlace } from './event-places.ts';

export interface PlacedEvent {
  readonly place: Pick<EventPlace, 'nid' | 'pos'>;
  readonly event: Pick<RoomEvent, 'eventId' | 'prevEvents'>;
}

/**
 * Parents before children; otherwise in the order in which they were judged, which is not causal where a parent came late.
 * `follows`: whether an event's state is made from that parent. Events that refer to each other in a circle (possible where
 * ids are no hashes) come last.
 */
export function inCausalOrder<One extends PlacedEvent>(
  events: readonly One[],
  follows: (place: One['place'], parentId: EventId) => boolean,
): One[] {
  const byId = new Map<EventId, One>(events.map((one) => [one.event.eventId, one]));
  const waitingFor = new Map<One, number>();
  const children = new Map<One, One[]>(events.map((one) => [one, []]));
  const ready = new PriorityQueue<One>((a, b) => (a.place.pos ?? 0) < (b.place.pos ?? 0));
  for (const one of events) {
    const parents = new Set(one.event.prevEvents.filter((parentId) => follows(one.place, parentId)));
    const known = [...parents].map((parentId) => byId.get(parentId)).filter((parent) => parent !== undefined);
    for (const parent of known) children.get(parent)!.push(one);
    waitingFor.set(one, known.length);
    if (known.length === 0) ready.push(one);
  }
  const ordered = new Set<One>();
  for (let one = ready.pop(); one !== undefined; one = ready.pop()) {
    ordered.add(one);
    for (const child of children.get(one)!) {
      const left = waitingFor.get(child)! - 1;
      waitingFor.set(child, left);
      if (left === 0) ready.push(child);
    }
  }
  const circular = events.filter((one) => !ordered.has(one));
  circular.sort((a, b) => (a.place.pos ?? 0) - (b.place.pos ?? 0));
  return [...ordered, ...circular];
}
