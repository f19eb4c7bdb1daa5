/** Stands for holding a key's lock. A function that needs the lock takes it as an argument, so that no caller can forget it. */
export interface Held<K = unknown> {
  readonly key: K;
  /** False once the work that took the lock has ended; what is kept longer is worth nothing. */
  readonly isHeld: boolean;
}

/** One at a time per key, in the order of asking. Keys that nobody holds or waits for take no memory. */
export class KeyedLock<K> {
  readonly #tails = new Map<K, Promise<void>>();

  /** Resolves or rejects as `work` does; a failure does not keep the next one from its turn. Must not be nested for one key. */
  async run<T>(key: K, work: (held: Held<K>) => Promise<T>): Promise<T> {
    const before = this.#tails.get(key);
    const turn = Promise.withResolvers<void>();
    this.#tails.set(key, turn.promise);
    const held = { key, isHeld: true };
    try {
      if (before !== undefined) await before;
      return await work(held);
    } finally {
      held.isHeld = false;
      if (this.#tails.get(key) === turn.promise) this.#tails.delete(key);
      turn.resolve();
    }
  }

  isLocked(key: K): boolean {
    return this.#tails.has(key);
  }
  /** How many keys are held or waited for. */
  get size(): number {
    return this.#tails.size;
  }
}
