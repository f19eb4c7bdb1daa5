/** The current state of one room, with what accepted events changed that are not committed yet. */
import type { RoomEvent, StateLookup, StateTuple } from '../../matrix/events/room-event.ts';
import type { Names } from '../../storage/names.ts';
import type { LineSource } from './lines.ts';
import { NOW } from './state-point.ts';
import { stateMapKey } from '../../matrix/state-res/state-map.ts';
import { type Pin, WriteThroughCache } from './write-through-cache.ts';

const KEYS_CACHED_MAX = 1_000;

export interface CurrentEntry {
  readonly value: { readonly nid: number; readonly event: RoomEvent } | null;
}

interface LookUp {
  isStale: boolean;
  answer: Promise<CurrentEntry> | undefined;
}

export class CurrentState {
  readonly #lines: LineSource;
  readonly #names: Names;
  readonly #mainLine: () => number;
  readonly #loadEvent: (nid: number) => Promise<RoomEvent>;
  /** What is not in memory is not there. */
  #isWhole: boolean;
  #keysSet = 0;
  readonly #entries = new WriteThroughCache<string, CurrentEntry>(KEYS_CACHED_MAX);
  /** Look-ups under way; those whose key changes meanwhile are made again. */
  readonly #underWay = new Map<string, LookUp>();

  /** `isNew`: the room has no state yet, so that all it will have comes through `set`. */
  constructor(
    lines: LineSource,
    names: Names,
    mainLine: () => number,
    loadEvent: (nid: number) => Promise<RoomEvent>,
    isNew: boolean,
  ) {
    this.#lines = lines;
    this.#names = names;
    this.#mainLine = mainLine;
    this.#loadEvent = loadEvent;
    this.#isWhole = isNew;
  }

  /** What is in memory; undefined: it must be looked up. */
  peek(type: string, stateKey: string): CurrentEntry | undefined {
    return this.#peek(stateMapKey(type, stateKey));
  }

  find(type: string, stateKey: string): Promise<CurrentEntry> {
    const key = stateMapKey(type, stateKey);
    const cached = this.#peek(key);
    if (cached !== undefined) return Promise.resolve(cached);
    let lookUp = this.#underWay.get(key);
    if (lookUp === undefined) {
      lookUp = { isStale: false, answer: undefined };
      this.#underWay.set(key, lookUp);
      lookUp.answer = this.#lookUp(key, lookUp, type, stateKey);
    }
    return lookUp.answer!;
  }

  /** A look-up that answers these keys and throws for others. */
  async prefetch(tuples: readonly StateTuple[]): Promise<StateLookup> {
    const events: (RoomEvent | undefined)[] = [];
    for (const [type, stateKey] of tuples) {
      const entry = this.peek(type, stateKey) ?? (await this.find(type, stateKey));
      events.push(entry.value?.event);
    }
    return prefetched(tuples, events);
  }

  /** Called when the unit that changes it was handed in. */
  set(type: string, stateKey: string, value: CurrentEntry['value'], pin: Pin): void {
    const key = stateMapKey(type, stateKey);
    this.#changed(key);
    // The cache gives nothing up before it has as many.
    if (this.#isWhole && this.#entries.get(key) === undefined) this.#isWhole = ++this.#keysSet <= KEYS_CACHED_MAX;
    this.#entries.wrote(key, { value }, pin);
  }

  /** The body of an event was replaced: a redaction. */
  replaceEvent(nid: number, event: RoomEvent): void {
    if (event.stateKey === undefined) return;
    const key = stateMapKey(event.type, event.stateKey);
    this.#changed(key);
    if (this.#entries.get(key)?.value?.nid === nid) this.#entries.replace(key, { value: { nid, event } });
  }

  #peek(key: string): CurrentEntry | undefined {
    return this.#entries.get(key) ?? (this.#isWhole ? absent : undefined);
  }

  #changed(key: string): void {
    const lookUp = this.#underWay.get(key);
    if (lookUp !== undefined) lookUp.isStale = true;
  }

  async #lookUp(key: string, lookUp: LookUp, type: string, stateKey: string): Promise<CurrentEntry> {
    try {
      for (;;) {
        lookUp.isStale = false;
        const value = await this.#look(type, stateKey);
        const written = this.#entries.get(key);
        if (written !== undefined) return written;
        if (lookUp.isStale) continue;
        const entry: CurrentEntry = { value };
        this.#entries.keep(key, entry);
        return entry;
      }
    } finally {
      this.#underWay.delete(key);
    }
  }

  async #look(type: string, stateKey: string): Promise<CurrentEntry['value']> {
    const skey = await this.#names.findSkey(type, stateKey);
    if (skey === undefined) return null;
    // a main line is a root, so there is no parent to ask
    const changes = await this.#lines.changesAt(this.#mainLine(), NOW, [skey]);
    const nid = changes.get(skey)?.event ?? null;
    return nid === null ? null : { nid, event: await this.#loadEvent(nid) };
  }
}

const absent: CurrentEntry = { value: null };

/** `events`: of each tuple, in the same order. There are few tuples, so a map of them would cost more than it saves. */
export function prefetched(tuples: readonly StateTuple[], events: readonly (RoomEvent | undefined)[]): StateLookup {
  return (type, stateKey) => {
    for (let i = 0; i < tuples.length; i++) {
      const tuple = tuples[i]!;
      if (tuple[0] === type && tuple[1] === stateKey) return events[i];
    }
    throw new Error(`the state of (${type}, ${stateKey}) was not prefetched`);
  };
}
