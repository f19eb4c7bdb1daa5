import type { ServerName, UserId } from '../matrix/ids/ids.ts';
import type { Database } from './database.ts';
import { type Introduced, Interner, type NameTable } from './interner.ts';
import {
  insertServerName,
  insertStateKey,
  insertUserName,
  serverNamesByNames,
  serverNamesByNids,
  stateKeysByKeys,
  stateKeysBySkeys,
  userNamesByIds,
  userNamesByNids,
} from './stores/name-store.ts';

/** A state key as the rooms' state is addressed by: `(type, state_key)`. */
export interface StateKey {
  readonly type: string;
  readonly key: string;
}

/**
 * Interned names: users, servers and state keys have numbers by which all tables refer to them. A number never changes and is
 * never used again, so what is remembered (the recent ones, in both directions) is always right.
 * Functions that create resolve when the new names are committed; they reject with UnitFailed when that failed.
 * Functions from numbers to names throw when there is no such number.
 */
export class Names {
  readonly #users: Interner<UserId>;
  readonly #servers: Interner<ServerName>;
  readonly #stateKeys: Interner<StateKey>;

  constructor(db: Database, entriesMax = 250_000) {
    this.#servers = new Interner(db, serverTable(db), Math.ceil(entriesMax / 8));
    this.#users = new Interner(db, userTable(db, this.#servers), entriesMax);
    this.#stateKeys = new Interner(db, stateKeyTable(db), entriesMax);
  }

  userNid(userId: UserId): Promise<number> {
    return this.#users.intern(userId);
  }
  /** In the order of `userIds`. */
  userNids(userIds: readonly UserId[]): Promise<number[]> {
    return this.#users.internAll(userIds);
  }
  findUserNid(userId: UserId): Promise<number | undefined> {
    return this.#users.find(userId);
  }
  findUserNids(userIds: readonly UserId[]): Promise<(number | undefined)[]> {
    return this.#users.findAll(userIds);
  }
  userId(nid: number): Promise<UserId> {
    return this.#users.nameOf(nid);
  }
  /** In the order of `nids`. */
  userIds(nids: readonly number[]): Promise<UserId[]> {
    return this.#users.namesOf(nids);
  }

  serverNid(serverName: ServerName): Promise<number> {
    return this.#servers.intern(serverName);
  }
  serverNids(serverNames: readonly ServerName[]): Promise<number[]> {
    return this.#servers.internAll(serverNames);
  }
  findServerNid(serverName: ServerName): Promise<number | undefined> {
    return this.#servers.find(serverName);
  }
  serverName(nid: number): Promise<ServerName> {
    return this.#servers.nameOf(nid);
  }
  serverNames(nids: readonly number[]): Promise<ServerName[]> {
    return this.#servers.namesOf(nids);
  }

  skey(type: string, key: string): Promise<number> {
    return this.#stateKeys.intern({ type, key });
  }
  /** Does not wait for the commit: see Introduced. */
  introduceSkey(type: string, key: string): Promise<Introduced> {
    return this.#stateKeys.introduce({ type, key });
  }
  skeys(stateKeys: readonly StateKey[]): Promise<number[]> {
    return this.#stateKeys.internAll(stateKeys);
  }
  findSkey(type: string, key: string): Promise<number | undefined> {
    return this.#stateKeys.find({ type, key });
  }
  findSkeys(stateKeys: readonly StateKey[]): Promise<(number | undefined)[]> {
    return this.#stateKeys.findAll(stateKeys);
  }
  stateKeyOf(skey: number): Promise<StateKey> {
    return this.#stateKeys.nameOf(skey);
  }
  /** In the order of `skeys`. */
  stateKeysOf(skeys: readonly number[]): Promise<StateKey[]> {
    return this.#stateKeys.namesOf(skeys);
  }
}

function serverTable(db: Database): NameTable<ServerName> {
  return {
    keyOf: (name) => name,
    byNames: async (names) => pairs<ServerName>(await db.all(serverNamesByNames, { names })),
    byNids: async (nids) => pairs<ServerName>(await db.all(serverNamesByNids, { nids })),
    prepareInserts: async () => (unit, name, nid) => unit.run(insertServerName, { nid, name }),
  };
}

function userTable(db: Database, servers: Interner<ServerName>): NameTable<UserId> {
  return {
    keyOf: (userId) => userId,
    byNames: async (names) => pairs<UserId>(await db.all(userNamesByIds, { names })),
    byNids: async (nids) => pairs<UserId>(await db.all(userNamesByNids, { nids })),
    async prepareInserts(userIds) {
      const serverNids = await servers.internAll(userIds.map(serverOf));
      const serverNidOf = new Map(userIds.map((userId, index) => [userId, serverNids[index]!]));
      return (unit, userId, nid) =>
        unit.run(insertUserName, { nid, name: userId, serverNid: serverNidOf.get(userId)! });
    },
  };
}

function stateKeyTable(db: Database): NameTable<StateKey> {
  const named = (rows: readonly { skey: number; type: string; key: string }[]) =>
    rows.map(({ skey, type, key }) => [{ type, key }, skey] as const);
  return {
    // the length keeps ("a", "bc") and ("ab", "c") apart
    keyOf: ({ type, key }) => `${type.length}:${type}${key}`,
    async byNames(stateKeys) {
      const byType = Map.groupBy(stateKeys, ({ type }) => type);
      const rows = await Promise.all(
        Array.from(byType, ([type, some]) => db.all(stateKeysByKeys, { type, keys: some.map(({ key }) => key) })),
      );
      return named(rows.flat());
    },
    byNids: async (skeys) => named(await db.all(stateKeysBySkeys, { skeys })),
    prepareInserts: async () => (unit, stateKey, skey) => unit.run(insertStateKey, { skey, ...stateKey }),
  };
}

function pairs<Name extends string>(rows: readonly { nid: number; name: string }[]): (readonly [Name, number])[] {
  return rows.map(({ nid, name }) => [name as Name, nid]);
}

/** What follows the first colon. https://spec.matrix.org/v1.19/appendices/#user-identifiers */
function serverOf(userId: UserId): ServerName {
  return userId.slice(userId.indexOf(':') + 1) as ServerName;
}
