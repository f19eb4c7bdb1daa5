import type { EventId } from '../../matrix/ids/ids.ts';
import type { CheckedEvent } from '../../rooms/receive-event.ts';

/**
 * The events in an order in which each comes after those that it cites as its auth events. What cites, however far, an event
 * that is not among them is left out, and so are events that cite each other in a circle. `first`: the create event, where all
 * others need it without citing it.
 */
export function authEventsFirst(
  events: readonly CheckedEvent[],
  first: EventId | undefined,
  isKnown: (eventId: EventId) => boolean = () => false,
): CheckedEvent[] {
  const waiting = new Map<EventId, { readonly checked: CheckedEvent; missing: number }>();
  const citedBy = new Map<EventId, EventId[]>();
  const ready: CheckedEvent[] = [];
  for (const checked of events) {
    const { eventId } = checked.event;
    const needed = new Set(checked.event.authEvents.filter((cited) => !isKnown(cited)));
    if (first !== undefined && eventId !== first && !isKnown(first)) needed.add(first);
    if (needed.size === 0) ready.push(checked);
    else waiting.set(eventId, { checked, missing: needed.size });
    for (const cited of needed) {
      const citing = citedBy.get(cited);
      if (citing === undefined) citedBy.set(cited, [eventId]);
      else citing.push(eventId);
    }
  }
  for (let at = 0; at < ready.length; at++) {
    for (const citing of citedBy.get(ready[at]!.event.eventId) ?? []) {
      const one = waiting.get(citing);
      if (one === undefined || --one.missing > 0) continue;
      waiting.delete(citing);
      ready.push(one.checked);
    }
  }
  return ready;
}
