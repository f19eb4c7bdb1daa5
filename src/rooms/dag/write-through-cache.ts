/**
 * What was read or written lately. An entry that stands for a write which is not committed yet stays until it is,
 * because a query would not find it.
 */
import { Lru } from '../../platform/lru.ts';

/** The fate of a unit. */
export interface Pin {
  settled: boolean;
}

export class WriteThroughCache<K, V extends NonNullable<unknown>> {
  readonly #settled: Lru<K, V>;
  readonly #unsettled = new Map<K, { readonly value: V; readonly pin: Pin }>();
  #pruneAt = 64;

  constructor(entriesMax: number) {
    this.#settled = new Lru({ sizeMax: entriesMax });
  }

  get(key: K): V | undefined {
    return this.#unsettled.size === 0
      ? this.#settled.find(key)
      : (this.#unsettled.get(key)?.value ?? this.#settled.find(key));
  }

  /** What a query found; something written meanwhile counts more. */
  keep(key: K, value: V): void {
    if (!this.#unsettled.has(key)) this.#settled.set(key, value);
  }

  /** What a unit writes; it was handed in. */
  wrote(key: K, value: V, pin: Pin): void {
    this.#unsettled.set(key, { value, pin });
    if (this.#unsettled.size >= this.#pruneAt) this.#prune();
  }

  /** The same entry in another form, if there is one. */
  replace(key: K, value: V): void {
    const unsettled = this.#unsettled.get(key);
    if (unsettled !== undefined) this.#unsettled.set(key, { value, pin: unsettled.pin });
    else if (this.#settled.has(key)) this.#settled.set(key, value);
  }

  clear(): void {
    this.#settled.clear();
    this.#unsettled.clear();
  }

  #prune(): void {
    for (const [key, { value, pin }] of this.#unsettled) {
      if (!pin.settled) continue;
      this.#unsettled.delete(key);
      this.#settled.set(key, value);
    }
    this.#pruneAt = Math.max(64, this.#unsettled.size * 2);
  }
}
