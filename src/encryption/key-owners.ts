/** Who ever had keys, and all users of other servers, who may have some: nobody needs to hear of changes of the others. */
import { limits } from '../platform/limits.ts';
import { Lru } from '../platform/lru.ts';
import type { Database } from '../storage/database.ts';
import { keyOwnersAmong } from '../storage/stores/device-change-store.ts';

export class KeyOwners {
  readonly #db: Database;
  readonly #locals: () => Promise<readonly number[]>;
  readonly #known = new Lru<number, boolean>({ sizeMax: limits.knownKeyOwnersMax });
  #version = 0;
  readonly #unfollow: () => void;

  /** `locals`: the numbers of our own names. */
  constructor(db: Database, locals: () => Promise<readonly number[]>) {
    this.#db = db;
    this.#locals = locals;
    this.#unfollow = db.onCommitted(({ wakes }) => {
      for (const wake of wakes) if (wake.kind === 'device-list') this.#forget(wake.userNid);
    });
  }

  /** Of these users, those who ever had keys. */
  async among(userNids: Iterable<number>): Promise<number[]> {
    const owners: number[] = [];
    const unknown: number[] = [];
    for (const userNid of userNids) {
      const known = this.#known.find(userNid);
      if (known === true) owners.push(userNid);
      else if (known === undefined) unknown.push(userNid);
    }
    if (unknown.length > 0) owners.push(...(await this.#load(unknown)));
    return owners;
  }

  close(): void {
    this.#unfollow();
  }

  async #load(userNids: readonly number[]): Promise<number[]> {
    const version = this.#version;
    const rows = await this.#db.all(keyOwnersAmong, { users: userNids, locals: await this.#locals() });
    const owners = new Set(rows.map((row) => row.user_nid));
    if (version === this.#version) for (const userNid of userNids) this.#known.set(userNid, owners.has(userNid));
    return [...owners];
  }

  #forget(userNid: number): void {
    this.#version++;
    // Who had keys once has had keys for ever.
    if (this.#known.find(userNid) === false) this.#known.delete(userNid);
  }
}
