/** Push rules of users who changed them, compiled once and kept until they change again. */
import { type CompiledPushRules, compilePushRules } from '../matrix/push-rules/compile-push-rules.ts';
import type { PushRuleset } from '../matrix/push-rules/push-rule.ts';
import type { UserId } from '../matrix/ids/ids.ts';
import { Lru } from '../platform/lru.ts';
import type { Database } from '../storage/database.ts';
import type { SyncPushRules } from './ports.ts';

interface Owner {
  readonly userId: UserId;
  readonly userNid: number;
}
export interface StoredPushRules {
  readonly ruleset: PushRuleset;
  /** Position of the last change; 0: the user has the default rules. */
  readonly pos: number;
}

const usersMax = 50_000;
const defaultsMax = 5_000;

export class CachedPushRules implements SyncPushRules {
  readonly #load: (owner: Owner) => Promise<StoredPushRules>;
  readonly #compiled = new Lru<number, { readonly rules: CompiledPushRules | undefined }>({ sizeMax: usersMax });
  /** Default rules of those who need them compiled: who ignores somebody. */
  readonly #defaults = new Lru<number, CompiledPushRules>({ sizeMax: defaultsMax });
  /** Grows with every change, so that what was read before one is not kept after it. */
  #version = 0;

  constructor(db: Database, load: (owner: Owner) => Promise<StoredPushRules>) {
    this.#load = load;
    db.onCommitted(({ wakes }) => {
      for (const wake of wakes)
        if (wake.kind === 'push-rules') {
          this.#version++;
          this.#compiled.delete(wake.userNid);
        }
    });
  }

  load(owner: Owner): Promise<StoredPushRules> {
    return this.#load(owner);
  }

  async rulesOf(owner: Owner): Promise<CompiledPushRules> {
    const known = (await this.customRulesOf(owner)) ?? this.#defaults.find(owner.userNid);
    if (known !== undefined) return known;
    const { ruleset, pos } = await this.#load(owner);
    const rules = compilePushRules(ruleset);
    if (pos === 0) this.#defaults.set(owner.userNid, rules);
    return rules;
  }

  async customRulesOf(owner: Owner): Promise<CompiledPushRules | undefined> {
    const known = this.#compiled.find(owner.userNid);
    if (known !== undefined) return known.rules;
    const version = this.#version;
    const { ruleset, pos } = await this.#load(owner);
    const rules = pos === 0 ? undefined : compilePushRules(ruleset);
    if (version === this.#version) this.#compiled.set(owner.userNid, { rules });
    return rules;
  }
}
