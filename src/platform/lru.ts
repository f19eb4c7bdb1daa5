interface Entry<V> {
  readonly value: V;
  readonly size: number;
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
  /** In the order of use, oldest first. */
  readonly #entries = new Map<K, Entry<V>>();
  readonly #options: LruOptions<K, V>;
  #size = 0;

  constructor(options: LruOptions<K, V>) {
    this.#options = options;
  }

  /** Counts as use. */
  find(key: K): V | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
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
    this.#entries.set(key, { value, size });
    this.#size += size;
    for (const [oldest, entry] of this.#entries) {
      if (this.#size <= this.#options.sizeMax) break;
      this.delete(oldest);
      this.#options.onEvicted?.(oldest, entry.value);
    }
  }

  delete(key: K): boolean {
    const entry = this.#entries.get(key);
    if (entry === undefined) return false;
    this.#size -= entry.size;
    return this.#entries.delete(key);
  }

  clear(): void {
    this.#entries.clear();
    this.#size = 0;
  }

  get count(): number {
    return this.#entries.size;
  }
  /** In the unit of `sizeMax`. */
  get size(): number {
    return this.#size;
  }
}
