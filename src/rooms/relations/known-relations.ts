/** What events relate to, of those that were sent or asked for lately: most relations point at something recent. */
import { type Relation, relationOf, threadHopsMax } from '../../matrix/events/relations.ts';
import type { EventId } from '../../matrix/ids/ids.ts';
import type { JsonObject } from '../../matrix/json/json-value.ts';
import { Lru } from '../../platform/lru.ts';
import type { Database } from '../../storage/database.ts';
import { EventFlag } from '../../storage/event-flags.ts';
import { eventById } from '../../storage/stores/timeline-store.ts';
import { pduOf } from '../stored-event.ts';

export interface KnownEvent {
  readonly room: number;
  /** undefined: it relates to nothing, or was redacted. */
  readonly relation: Relation | undefined;
}

const eventsMax = 20_000;

export class KnownRelations {
  readonly #db: Database;
  readonly #known = new Lru<EventId, KnownEvent>({ sizeMax: eventsMax });
  /** Annotations on their way to disk. */
  readonly #annotations = new Set<string>();

  constructor(db: Database) {
    this.#db = db;
  }

  /** An event was handed in, or is redacted from now on: before it is on disk. */
  tell(eventId: EventId, event: KnownEvent): void {
    this.#known.set(eventId, event);
  }
  /** What was told of it did not happen. */
  forget(eventId: EventId): void {
    this.#known.delete(eventId);
  }

  /** undefined: there is no such event here. */
  async find(eventId: EventId): Promise<KnownEvent | undefined> {
    const known = this.#known.find(eventId);
    if (known !== undefined) return known;
    const row = await this.#db.one(eventById, { eventId });
    // What was told while this was read is newer.
    const told = this.#known.find(eventId);
    if (row === undefined || told !== undefined) return told;
    const isRedacted = (row.flags & EventFlag.redacted) !== 0;
    const content = pduOf(row)['content'] as JsonObject;
    const event = { room: row.room, relation: isRedacted ? undefined : relationOf({ content }) };
    this.#known.set(eventId, event);
    return event;
  }

  /**
   * The event's relation and those above it: what its target relates to, and so on, `threadHopsMax` at most. Events of other
   * rooms end it; empty where the event relates to nothing, or its target itself is in another room.
   */
  async lineageOf(room: number, event: { readonly content: JsonObject }): Promise<Relation[]> {
    const lineage: Relation[] = [];
    for (let next = relationOf(event); next !== undefined && lineage.length < threadHopsMax;) {
      const target: KnownEvent | undefined = await this.find(next.targetId);
      if (target !== undefined && target.room !== room) break;
      lineage.push(next);
      next = target?.relation;
    }
    return lineage;
  }

  isAnnotating(annotation: string): boolean {
    return this.#annotations.has(annotation);
  }
  annotating(annotation: string, settled: Promise<unknown>): void {
    this.#annotations.add(annotation);
    const end = (): void => void this.#annotations.delete(annotation);
    settled.then(end, end);
  }
}
