import { compileGlob, type Glob } from '../../matrix/glob/glob.ts';
import type { UserId } from '../../matrix/ids/ids.ts';

export interface UserRightsSettings {
  /** Patterns of user ids, by the names of groups. */
  readonly groups: Readonly<Record<string, readonly string[]>>;
  /** Each entry is a group or a pattern of user ids. */
  readonly users: {
    /** undefined: everybody. */
    readonly allow: readonly string[] | undefined;
    readonly deny: readonly string[];
  };
}

/** Which users of this server may have to do with other servers. What is denied is denied, also where it is allowed. */
export class UserRights {
  readonly #allowed: readonly Glob[] | undefined;
  readonly #denied: readonly Glob[];

  constructor({ groups, users }: UserRightsSettings) {
    const globs = (entries: readonly string[]): readonly Glob[] =>
      entries
        .flatMap((entry) => (entry.startsWith('@') ? [entry] : (groups[entry] ?? [])))
        .map((pattern) => compileGlob(pattern));
    this.#allowed = users.allow && globs(users.allow);
    this.#denied = globs(users.deny);
  }

  /** Whether there may be somebody who may not. */
  get isRestricted(): boolean {
    return this.#allowed !== undefined || this.#denied.length > 0;
  }

  mayFederate(userId: UserId): boolean {
    const isIn = (globs: readonly Glob[]): boolean => globs.some((glob) => glob.matches(userId));
    return !isIn(this.#denied) && (this.#allowed === undefined || isIn(this.#allowed));
  }
}
