import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import type { EventId } from '../../../src/matrix/ids/ids.ts';
import { type PlacedEvent, inCausalOrder } from '../../../src/rooms/dag/causal-order.ts';

const id = (index: number): EventId => `$${index}` as EventId;
const one = (index: number, pos: number, parents: readonly number[]): PlacedEvent => ({
  place: { nid: index, pos },
  event: { eventId: id(index), prevEvents: parents.map(id) },
});
const idsOf = (events: readonly PlacedEvent[]): string[] => events.map((event) => event.event.eventId);

it('puts parents before children, whenever they came', () => {
  const parentLists = fc.array(fc.array(fc.nat({ max: 30 }), { maxLength: 3 }), { maxLength: 30 });
  fc.assert(
    fc.property(parentLists, fc.infiniteStream(fc.nat()), (lists, positions) => {
      const events = lists.map((parents, index) =>
        one(
          index,
          positions.next().value as number,
          parents.filter((parent) => parent < index),
        ),
      );
      const ordered = idsOf(inCausalOrder(events, () => true));
      expect(new Set(ordered).size).toBe(events.length);
      for (const { event } of events)
        for (const parent of event.prevEvents)
          expect(ordered.indexOf(parent)).toBeLessThan(ordered.indexOf(event.eventId));
    }),
  );
});

it('follows the order of arrival otherwise', () => {
  const events = [one(1, 30, []), one(2, 10, []), one(3, 20, [2])];
  expect(idsOf(inCausalOrder(events, () => true))).toEqual(['$2', '$3', '$1']);
});

it('does not wait for parents whose state was handed in', () => {
  const events = [one(1, 1, [2]), one(2, 2, [])];
  expect(idsOf(inCausalOrder(events, (place) => place.nid !== 1))).toEqual(['$1', '$2']);
});

it('puts events that refer to each other in a circle last', () => {
  const events = [one(1, 1, [2]), one(2, 2, [1]), one(3, 3, [])];
  expect(idsOf(inCausalOrder(events, () => true))).toEqual(['$3', '$1', '$2']);
});
