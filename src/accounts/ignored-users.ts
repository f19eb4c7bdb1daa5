/**
 * Whom users do not want to hear from, by the `m.ignored_user_list` of their account data. Kept in memory; a change counts
 * from the moment of its commit. https://spec.matrix.org/v1.19/client-server-api/#ignoring-users
 */
import type { UserId } from '../matrix/ids/ids.ts';
import { isUserId } from '../matrix/ids/user-id.ts';
import { isJsonObject, type JsonObject } from '../matrix/json/json-value.ts';
import { limits } from '../platform/limits.ts';
import { Lru } from '../platform/lru.ts';
import type { Database } from '../storage/database.ts';
import { accountData, noRoom } from '../storage/stores/account-data-store.ts';

export const ignoredUserListType = 'm.ignored_user_list';

declare module '../storage/database.ts' {
  interface WakeKinds {
    /** Whom the user ignores changed: what is derived from it is out of date. */
    'ignored-users': { readonly userNid: number };
  }
}

export class IgnoredUsers {
  readonly #db: Database;
  readonly #known = new Lru<number, ReadonlySet<string>>({ sizeMax: limits.knownIgnorersMax });
  /** Grows with every change, so that what was read before one is not kept after it. */
  #version = 0;

  constructor(db: Database) {
    this.#db = db;
    db.onCommitted(({ wakes }) => {
      for (const wake of wakes)
        if (wake.kind === 'ignored-users') {
          this.#version++;
          this.#known.delete(wake.userNid);
        }
    });
  }

  /** Nobody can ignore themselves. */
  async of({ userId, userNid }: { readonly userId: UserId; readonly userNid: number }): Promise<ReadonlySet<string>> {
    const known = this.#known.find(userNid);
    if (known !== undefined) return known;
    const version = this.#version;
    const row = await this.#db.one(accountData, { user: userNid, room: noRoom, type: ignoredUserListType });
    const ignored = row?.json == null ? nobody : ignoredIn(JSON.parse(row.json) as JsonObject, userId);
    if (version === this.#version) this.#known.set(userNid, ignored);
    return ignored;
  }
}

const nobody: ReadonlySet<string> = new Set();

/** What is no list, or no user in it, is left out: clients may store there what they like. */
function ignoredIn(content: JsonObject, owner: UserId): ReadonlySet<string> {
  const users = content['ignored_users'];
  if (!isJsonObject(users)) return nobody;
  return new Set(Object.keys(users).filter((userId) => userId !== owner && isUserId(userId)));
}
