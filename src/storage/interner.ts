import { type Database, type UnitBuilder, UnitFailed, type UnitTicket, UniqueViolation } from './database.ts';
import { RecentMap } from './recent-map.ts';

/** How one kind of name is kept. */
export interface NameTable<Name> {
  keyOf(name: Name): string;
  byNames(names: readonly Name[]): Promise<readonly (readonly [Name, number])[]>;
  byNids(nids: readonly number[]): Promise<readonly (readonly [Name, number])[]>;
  /** Gives the function that adds one row. */
  prepareInserts(names: readonly Name[]): Promise<(unit: UnitBuilder, name: Name, nid: number) => void>;
}

/** A name's number. */
export interface Introduced {
  readonly nid: number;
  /** The unit that creates the name and is not committed yet: units that refer to the name require it. */
  readonly creation: UnitTicket | undefined;
}

interface Creation {
  /** Resolves, early or late, when there is nothing to wait for but a commit. */
  readonly handedIn: Promise<void>;
  /** By key. */
  readonly committed: Promise<ReadonlyMap<string, number>>;
}

/** Gives names small numbers for ever, and remembers the recent ones in both directions. */
export class Interner<Name> {
  readonly #db: Database;
  readonly #table: NameTable<Name>;
  readonly #nids: RecentMap<string, number>;
  readonly #names: RecentMap<number, Name>;
  /** By key: names that are being looked up or created, so that nobody creates them twice. */
  readonly #inFlight = new Map<string, Creation>();
  /** By key: created, and not committed yet. */
  readonly #introduced = new Map<string, Introduced>();

  constructor(db: Database, table: NameTable<Name>, entriesMax: number) {
    this.#db = db;
    this.#table = table;
    this.#nids = new RecentMap(entriesMax);
    this.#names = new RecentMap(entriesMax);
  }

  async find(name: Name): Promise<number | undefined> {
    const known = this.#nids.get(this.#table.keyOf(name));
    return known ?? (await this.findAll([name]))[0];
  }

  /** In the order of `names`; undefined for those that have no number. */
  async findAll(names: readonly Name[]): Promise<(number | undefined)[]> {
    const found = new Map<string, number>();
    const missing = this.#collectKnown(names, found);
    if (missing.length > 0) await this.#load(missing, found);
    return names.map((name) => found.get(this.#table.keyOf(name)));
  }

  async intern(name: Name): Promise<number> {
    const known = this.#nids.get(this.#table.keyOf(name));
    return known ?? (await this.internAll([name]))[0]!;
  }

  /** Creates the name if it is missing, without waiting for the commit. Rejects when that failed meanwhile. */
  async introduce(name: Name): Promise<Introduced> {
    const key = this.#table.keyOf(name);
    const known = this.#nids.get(key);
    if (known !== undefined) return { nid: known, creation: undefined };
    let creation = this.#inFlight.get(key);
    if (creation === undefined) {
      creation = this.#startCreation([name]);
      // Who requires the unit hears of a failure from there.
      creation.committed.catch(() => undefined);
    }
    await creation.handedIn;
    return this.#introduced.get(key) ?? { nid: (await creation.committed).get(key)!, creation: undefined };
  }

  /** Creates what is missing. Resolves when that is committed, so that nothing can refer to a name that is not there. */
  async internAll(names: readonly Name[]): Promise<number[]> {
    const found = new Map<string, number>();
    const missing = this.#collectKnown(names, found);
    const others = new Set<Creation>();
    const mine: Name[] = [];
    for (const name of missing) {
      const other = this.#inFlight.get(this.#table.keyOf(name));
      if (other === undefined) mine.push(name);
      else others.add(other);
    }
    if (mine.length > 0) others.add(this.#startCreation(mine));
    const creations = await Promise.all([...others].map(({ committed }) => committed));
    for (const nids of creations) for (const [key, nid] of nids) found.set(key, nid);
    return names.map((name) => found.get(this.#table.keyOf(name))!);
  }

  /** In the order of `nids`. Throws when one does not exist, which is a fault of the database. */
  async namesOf(nids: readonly number[]): Promise<Name[]> {
    const found = new Map<number, Name>();
    for (const nid of nids) {
      const name = this.#names.get(nid);
      if (name !== undefined) found.set(nid, name);
    }
    const missing = [...new Set(nids.filter((nid) => !found.has(nid)))];
    if (missing.length > 0)
      for (const [name, nid] of await this.#table.byNids(missing)) {
        this.#remember(name, nid);
        found.set(nid, name);
      }
    return nids.map((nid) => {
      const name = found.get(nid);
      if (name === undefined) throw new Error(`no name has the number ${nid}`);
      return name;
    });
  }

  async nameOf(nid: number): Promise<Name> {
    return this.#names.get(nid) ?? (await this.namesOf([nid]))[0]!;
  }

  /** Puts what is remembered into `found`, by key; gives the others, each once. */
  #collectKnown(names: readonly Name[], found: Map<string, number>): Name[] {
    const missing = new Map<string, Name>();
    for (const name of names) {
      const key = this.#table.keyOf(name);
      const nid = this.#nids.get(key);
      if (nid === undefined) missing.set(key, name);
      else found.set(key, nid);
    }
    return [...missing.values()];
  }

  #startCreation(names: readonly Name[]): Creation {
    const keys = names.map((name) => this.#table.keyOf(name));
    const handedIn = Promise.withResolvers<void>();
    const committed = this.#loadOrCreate(names, handedIn.resolve).finally(() => {
      for (const key of keys) this.#inFlight.delete(key);
      handedIn.resolve();
    });
    const creation = { handedIn: handedIn.promise, committed };
    for (const key of keys) this.#inFlight.set(key, creation);
    return creation;
  }

  async #loadOrCreate(names: readonly Name[], handedIn: () => void): Promise<ReadonlyMap<string, number>> {
    const found = new Map<string, number>();
    await this.#load(names, found);
    const missing = names.filter((name) => !found.has(this.#table.keyOf(name)));
    for (let from = 0; from < missing.length; from += namesPerUnit)
      await this.#create(missing.slice(from, from + namesPerUnit), found, handedIn);
    return found;
  }

  async #load(names: readonly Name[], found: Map<string, number>): Promise<void> {
    for (const [name, nid] of await this.#table.byNames(names)) {
      this.#remember(name, nid);
      found.set(this.#table.keyOf(name), nid);
    }
  }

  async #create(names: readonly Name[], found: Map<string, number>, handedIn: () => void): Promise<void> {
    const insert = await this.#table.prepareInserts(names);
    const created = names.map((name) => [name, this.#db.nextId()] as const);
    const creation = this.#db.write((unit) => {
      for (const [name, nid] of created) insert(unit, name, nid);
    });
    for (const [name, nid] of created) this.#introduced.set(this.#table.keyOf(name), { nid, creation });
    handedIn();
    try {
      await creation.committed;
    } catch (error) {
      if (!(error instanceof UnitFailed) || !(error.cause instanceof UniqueViolation)) throw error;
      // somebody else's database connection was first
      await this.#load(names, found);
      if (!names.every((name) => found.has(this.#table.keyOf(name)))) throw error;
      return;
    } finally {
      for (const [name] of created) this.#introduced.delete(this.#table.keyOf(name));
    }
    for (const [name, nid] of created) {
      this.#remember(name, nid);
      found.set(this.#table.keyOf(name), nid);
    }
  }

  #remember(name: Name, nid: number): void {
    this.#nids.set(this.#table.keyOf(name), nid);
    this.#names.set(nid, name);
  }
}

const namesPerUnit = 2_000;
