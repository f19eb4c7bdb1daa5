/** Entries form a list in the order of use, so that a use moves pointers and leaves the map alone. */
interface Entry<K, V> {
  readonly key: K;
  readonly value: V;
  readonly size: number;
  older: Entry<K, V> | undefined;
  newer: Entry<K, V> | undefined;
}

export interface LruOptions<K, V> {
  /** The sum of all sizes stays at or below it. */
  readonly sizeMax: number;
  /** In the unit of `sizeMax`; absent: every entry counts 1. */
  readonly sizeOf?: (value: V, key: K) => number;
  /** Told of what had to give way; not of what was deleted or replaced. */
  readonly onEvicted?: (key: K, value: V) => void;
}

/** A bounded map that gives up what was not used for longest. `undefined` is no value. */
export class Lru<K, V extends NonNullable<unknown> | null> {
  readonly #entries = new Map<K, Entry<K, V>>();
  #oldest: Entry<K, V> | undefined;
  #newest: Entry<K, V> | undefined;
  readonly #options: LruOptions<K, V>;
  #size = 0;

  constructor(options: LruOptions<K, V>) {
    this.#options = options;
  }

  /** Counts as use. */
  find(key: K): V | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    if (entry !== this.#newest) {
      this.#unlink(entry);
      this.#append(entry);
    }
    return entry.value;
  }

  /** Does not count as use. */
  has(key: K): boolean {
    return this.#entries.has(key);
  }

  /** A value that is larger than everything allowed is not kept, and neither is what it would have replaced. */
  set(key: K, value: V): void {
    this.delete(key);
    const size = this.#options.sizeOf?.(value, key) ?? 1;
    if (size > this.#options.sizeMax) return;
    const entry: Entry<K, V> = { key, value, size, older: undefined, newer: undefined };
    this.#entries.set(key, entry);
    this.#append(entry);
    this.#size += size;
    while (this.#size > this.#options.sizeMax && this.#oldest !== undefined) {
      const evicted = this.#oldest;
      this.delete(evicted.key);
      this.#options.onEvicted?.(evicted.key, evicted.value);
    }
  }

  delete(key: K): boolean {
    const entry = this.#entries.get(key);
    if (entry === undefined) return false;
    this.#size -= entry.size;
    this.#unlink(entry);
    return this.#entries.delete(key);
  }

  clear(): void {
    this.#entries.clear();
    this.#oldest = this.#newest = undefined;
    this.#size = 0;
  }

  get count(): number {
    return this.#entries.size;
  }
  /** In the unit of `sizeMax`. */
  get size(): number {
    return this.#size;
  }

  #append(entry: Entry<K, V>): void {
    entry.older = this.#newest;
    entry.newer = undefined;
    if (this.#newest === undefined) this.#oldest = entry;
    else this.#newest.newer = entry;
    this.#newest = entry;
  }

  #unlink(entry: Entry<K, V>): void {
    if (entry.older === undefined) this.#oldest = entry.newer;
    else entry.older.newer = entry.newer;
    if (entry.newer === undefined) this.#newest = entry.older;
    else entry.newer.older = entry.older;
  }
}
