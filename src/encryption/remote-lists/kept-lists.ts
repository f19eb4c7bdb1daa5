/** Keys of users of other servers as they are kept, in memory as long as there is room. */
import { limits } from '../../platform/limits.ts';
import { Lru } from '../../platform/lru.ts';
import type { Database } from '../../storage/database.ts';
import { crossSigningKeys } from '../../storage/stores/cross-signing-store.ts';
import { remoteDevices, remoteLists } from '../../storage/stores/remote-device-store.ts';
import type { CrossSigningUsage } from '../cross-signing-key.ts';
import { type PublishedKey, sizeOfKeys, UserKeys } from '../user-keys.ts';

/** undefined: they are not kept. */
export type KeptList = Kept | undefined;
export interface Kept {
  /** undefined: they were never had. */
  readonly streamId: number | undefined;
  /** Since when they may not be right; 0: they are. */
  readonly stalePos: number;
  readonly keys: UserKeys;
}

export class KeptLists {
  readonly #db: Database;
  readonly #known = new Lru<number, { readonly kept: KeptList }>({
    sizeMax: limits.keptKeysBytesMax,
    sizeOf: ({ kept }) => 100 + (kept === undefined ? 0 : sizeOfKeys(kept.keys)),
  });
  /** Grows with every change, so that what was read before one is not kept after it. */
  #version = 0;
  readonly #unfollow: () => void;

  constructor(db: Database) {
    this.#db = db;
    this.#unfollow = db.onCommitted(({ wakes }) => {
      for (const wake of wakes) {
        if (wake.kind !== 'remote-keys-kept') continue;
        this.#version++;
        for (const userNid of wake.userNids) this.#known.delete(userNid);
      }
    });
  }

  close(): void {
    this.#unfollow();
  }

  /** Of each of the users. Reads nothing of those that are in memory. */
  async of(userNids: readonly number[]): Promise<ReadonlyMap<number, KeptList>> {
    const found = new Map<number, KeptList>();
    const unknown: number[] = [];
    for (const userNid of userNids) {
      const known = this.#known.find(userNid);
      if (known === undefined) unknown.push(userNid);
      else found.set(userNid, known.kept);
    }
    for (let i = 0; i < unknown.length; i += usersPerRead)
      for (const [userNid, kept] of await this.#load(unknown.slice(i, i + usersPerRead))) found.set(userNid, kept);
    return found;
  }

  async one(userNid: number): Promise<KeptList> {
    return (await this.of([userNid])).get(userNid);
  }

  async #load(users: readonly number[]): Promise<Map<number, KeptList>> {
    const version = this.#version;
    const rows = await this.#db.all(remoteLists, { users });
    const kept = rows.map((row) => row.user_nid);
    const [devices, keys] =
      kept.length === 0
        ? [[], []]
        : await Promise.all([
            this.#db.all(remoteDevices, { users: kept }),
            this.#db.all(crossSigningKeys, { users: kept }),
          ]);
    const devicesOf = Map.groupBy(devices, (row) => row.user_nid);
    const keysOf = Map.groupBy(keys, (row) => row.user_nid);
    const rowOf = new Map(rows.map((row) => [row.user_nid, row]));
    const loaded = new Map<number, KeptList>();
    for (const user of users) {
      const row = rowOf.get(user);
      const list = row && {
        streamId: row.stream_id ?? undefined,
        stalePos: row.stale_pos,
        keys: new UserKeys(
          new Map((devicesOf.get(user) ?? []).map(({ device_id: id, json }) => [id, { deviceNid: 0, text: json }])),
          new Map(
            (keysOf.get(user) ?? []).map(({ usage, key_id: keyId, json }): [CrossSigningUsage, PublishedKey] => [
              usage as CrossSigningUsage,
              { keyId, text: json },
            ]),
          ),
        ),
      };
      loaded.set(user, list);
      if (version === this.#version) this.#known.set(user, { kept: list });
    }
    return loaded;
  }
}

/** Whether what is kept can be answered with. */
export const isRight = (kept: KeptList): kept is Kept => kept?.stalePos === 0 && kept.streamId !== undefined;

/** Whether it once could. */
export const wasRight = (kept: KeptList): kept is Kept => kept?.streamId !== undefined;

const usersPerRead = 500;
