/**
 * How many one-time keys a device has left, and which of its fallback keys were never given out. In memory, so that a
 * response of /sync reads nothing. https://spec.matrix.org/v1.19/client-server-api/#e2e-extensions-to-sync
 */
import { limits } from '../platform/limits.ts';
import { Lru } from '../platform/lru.ts';
import type { Database } from '../storage/database.ts';
import { keyCounts } from '../storage/stores/device-key-store.ts';

export interface DeviceKeyCounts {
  /** By algorithm; `signed_curve25519` always, also where there is none. */
  readonly oneTimeKeys: Readonly<Record<string, number>>;
  /** Algorithms. */
  readonly unusedFallbackKeys: readonly string[];
}

export class KeyCounts {
  readonly #db: Database;
  readonly #known = new Lru<number, DeviceKeyCounts>({ sizeMax: limits.knownKeyCountsMax });
  /** Grows with every change, so that what was read before one is not kept after it. */
  #version = 0;
  readonly #unfollow: () => void;

  constructor(db: Database) {
    this.#db = db;
    this.#unfollow = db.onCommitted(({ wakes }) => {
      for (const wake of wakes) if (wake.kind === 'one-time-keys') this.#forget(wake.deviceNids);
    });
  }

  async of(deviceNid: number): Promise<DeviceKeyCounts> {
    const known = this.#known.find(deviceNid);
    if (known !== undefined) return known;
    const version = this.#version;
    const oneTimeKeys: Record<string, number> = { signed_curve25519: 0 };
    const unusedFallbackKeys: string[] = [];
    for (const { algorithm, keys } of await this.#db.all(keyCounts, { device: deviceNid })) {
      if (keys === 0) unusedFallbackKeys.push(algorithm);
      else oneTimeKeys[algorithm] = keys;
    }
    const counts = { oneTimeKeys, unusedFallbackKeys };
    if (version === this.#version) this.#known.set(deviceNid, counts);
    return counts;
  }

  close(): void {
    this.#unfollow();
  }

  #forget(deviceNids: readonly number[]): void {
    this.#version++;
    for (const deviceNid of deviceNids) this.#known.delete(deviceNid);
  }
}
