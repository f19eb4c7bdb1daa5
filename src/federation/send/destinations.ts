import type { ServerName } from '../../matrix/ids/ids.ts';
import { Destination } from './destination.ts';
import type { DestinationParts } from './destination-parts.ts';
import type { SendLoad } from './send-counters.ts';

/** The servers that were to be sent anything since this process began, by their numbers. */
export class Destinations {
  readonly #parts: DestinationParts;
  readonly #byNid = new Map<number, Destination>();
  readonly #byName = new Map<ServerName, Destination>();

  constructor(parts: DestinationParts) {
    this.#parts = parts;
  }

  of(serverNid: number, name: ServerName): Destination {
    const found = this.#byNid.get(serverNid);
    if (found !== undefined) return found;
    const made = new Destination(this.#parts, serverNid, name);
    this.#byNid.set(serverNid, made);
    this.#byName.set(name, made);
    return made;
  }
  find(name: ServerName): Destination | undefined {
    return this.#byName.get(name);
  }
  all(): Iterable<Destination> {
    return this.#byNid.values();
  }

  load(): SendLoad {
    const nowTs = this.#parts.rooms.clock.nowMs();
    let [busy, failing, eventsWaiting, longestLagMs] = [0, 0, 0, 0];
    for (const { backlog, contact, isSending, isFailing, sentPos } of this.#byNid.values()) {
      if (isSending || sentPos !== undefined) busy += 1;
      if (isFailing) failing += 1;
      eventsWaiting += backlog.count;
      if (sentPos !== undefined) longestLagMs = Math.max(longestLagMs, nowTs - (contact.firstFailureTs ?? nowTs));
    }
    return { busy, failing, eventsWaiting, longestLagMs };
  }
}
