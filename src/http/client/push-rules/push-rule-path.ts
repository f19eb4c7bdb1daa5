/** The path parameters that name one push rule. */
import { isPushRuleKind, type PushRuleKind } from '../../../matrix/push-rules/push-rule.ts';
import { parsed, string } from '../../decode.ts';

export const pushRulePath = {
  kind: parsed<PushRuleKind>('a kind of push rule', (kind) => (isPushRuleKind(kind) ? kind : undefined)),
  ruleId: string(),
};
