/** What sync needs of accounts; the composition root hands it over. */
import type { UserId } from '../matrix/ids/ids.ts';
import type { CompiledPushRules } from '../matrix/push-rules/compile-push-rules.ts';
import type { PushRuleset } from '../matrix/push-rules/push-rule.ts';

interface Owner {
  readonly userId: UserId;
  readonly userNid: number;
}

export interface SyncPushRules {
  /** As the client sees them. `pos`: of their last change, 0 for none. */
  load(owner: Owner): Promise<{ readonly ruleset: PushRuleset; readonly pos: number }>;
  /** Also where they are the default ones. */
  rulesOf(owner: Owner): Promise<CompiledPushRules>;
  /** undefined: the user changed none of the default rules. */
  customRulesOf(owner: Owner): Promise<CompiledPushRules | undefined>;
}
