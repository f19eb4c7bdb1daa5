/** Who was erased, in memory: whoever is about to show an event asks. */
import type { UserId } from '../matrix/ids/ids.ts';
import type { Commit, Database } from '../storage/database.ts';
import { erasedAccounts } from '../storage/stores/account-store.ts';

export class ErasedUsers {
  readonly #db: Database;
  readonly #positions = new Map<UserId, number>();
  readonly #stopListening: () => void;

  constructor(db: Database) {
    this.#db = db;
    this.#stopListening = db.onCommitted((commit) => this.#follow(commit));
  }

  /** To be called once, before anybody asks. Gives itself. */
  async load(): Promise<this> {
    for (const { user_id: userId, erased } of await this.#db.all(erasedAccounts, {}))
      this.#positions.set(userId as UserId, erased);
    return this;
  }

  /** The position at which the user was erased; undefined: they were not. */
  erasedSince(userId: UserId): number | undefined {
    return this.#positions.get(userId);
  }

  close(): void {
    this.#stopListening();
  }

  #follow({ wakes }: Commit): void {
    for (const wake of wakes) {
      if (wake.kind !== 'erasure') continue;
      if (wake.since === undefined) this.#positions.delete(wake.userId);
      else if (!this.#positions.has(wake.userId)) this.#positions.set(wake.userId, wake.since);
    }
  }
}
