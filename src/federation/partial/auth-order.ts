import type { EventId } from '../../matrix/ids/ids.ts';
import type { CheckedEvent } from '../../rooms/receive-event.ts';

interface Waiting {
  readonly checked: CheckedEvent;
  missing: number;
}

/** Gives events, which come in any order, in one in which each comes after those that it cites as its auth events. */
export class AuthOrder {
  readonly #stored: Set<EventId>;
  readonly #waiting = new Map<EventId, Waiting>();
  readonly #citedBy = new Map<EventId, EventId[]>();

  /** `stored`: events that nobody has to wait for. */
  constructor(stored: Iterable<EventId>) {
    this.#stored = new Set(stored);
  }

  /** The event, and those that waited for it, as far as they have to wait for nothing else. */
  add(checked: CheckedEvent): CheckedEvent[] {
    const { eventId, authEvents } = checked.event;
    if (this.#stored.has(eventId) || this.#waiting.has(eventId)) return [];
    const needed = new Set(authEvents.filter((cited) => !this.#stored.has(cited)));
    if (needed.size === 0) return this.#withWaiting(checked);
    this.#waiting.set(eventId, { checked, missing: needed.size });
    for (const cited of needed) {
      const citing = this.#citedBy.get(cited);
      if (citing === undefined) this.#citedBy.set(cited, [eventId]);
      else citing.push(eventId);
    }
    return [];
  }

  /** Those that wait for events which have not come. */
  waiting(): CheckedEvent[] {
    return [...this.#waiting.values()].map(({ checked }) => checked);
  }

  #withWaiting(first: CheckedEvent): CheckedEvent[] {
    const ready = [first];
    for (let at = 0; at < ready.length; at++) {
      const { eventId } = ready[at]!.event;
      this.#stored.add(eventId);
      for (const citing of this.#citedBy.get(eventId) ?? []) {
        const one = this.#waiting.get(citing);
        if (one === undefined || --one.missing > 0) continue;
        this.#waiting.delete(citing);
        ready.push(one.checked);
      }
      this.#citedBy.delete(eventId);
    }
    return ready;
  }
}
