/**
 * displayname and avatar_url of users, as they stand in membership events. Kept in memory; a change counts from the moment of
 * its commit. https://spec.matrix.org/v1.19/client-server-api/#profiles
 */
import type { JsonObject, JsonValue } from '../matrix/json/json-value.ts';
import { limits } from '../platform/limits.ts';
import { Lru } from '../platform/lru.ts';
import type { Database } from '../storage/database.ts';
import { profileFields } from '../storage/stores/profile-store.ts';
import { memberProfileNames } from './profile-field.ts';

export class MemberProfiles {
  readonly #db: Database;
  readonly #known = new Lru<number, JsonObject>({ sizeMax: limits.knownMemberProfilesMax });
  /** Grows with every change, so that what was read before one is not kept after it. */
  #version = 0;

  constructor(db: Database) {
    this.#db = db;
    db.onCommitted(({ wakes }) => {
      for (const wake of wakes)
        if (wake.kind === 'profile') {
          this.#version++;
          this.#known.set(wake.userNid, wake.member);
        }
    });
  }

  /** {} where there is no profile. */
  async of(userNid: number): Promise<JsonObject> {
    const known = this.#known.find(userNid);
    if (known !== undefined) return known;
    const version = this.#version;
    const member = memberPart(await loadProfile(this.#db, userNid));
    if (version === this.#version) this.#known.set(userNid, member);
    return member;
  }
}

/** All fields, wire names and values. */
export async function loadProfile(db: Database, userNid: number): Promise<JsonObject> {
  const rows = await db.all(profileFields, { user: userNid });
  return Object.fromEntries(rows.map(({ name, value }) => [name, JSON.parse(value) as JsonValue]));
}

export const memberPart = (profile: JsonObject): JsonObject =>
  withoutAbsent(Object.fromEntries(memberProfileNames.map((name) => [name, profile[name]])));

export const withoutAbsent = (profile: JsonObject): JsonObject =>
  Object.fromEntries(Object.entries(profile).filter(([, value]) => value !== undefined));
