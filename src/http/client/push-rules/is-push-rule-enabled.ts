/** GET /_matrix/client/v3/pushrules/global/{kind}/{ruleId}/enabled — https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3pushrulesglobalkindruleidenabled */
import type { Accounts } from '../../../accounts/index.ts';
import { getPushRule } from '../../../matrix/push-rules/edit-push-rules.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { pushRulePath } from './push-rule-path.ts';

export const isPushRuleEnabled = defineEndpoint({
  operationId: 'isPushRuleEnabled',
  method: 'GET',
  path: '/_matrix/client/v3/pushrules/global/{kind}/{ruleId}/enabled',
  auth: 'accessToken',
  rateLimit: 'read',
  params: pushRulePath,
  query: {},
  async handle({ params, requester }, { accounts }: { accounts: Pick<Accounts, 'loadPushRules'> }) {
    const { ruleset } = await accounts.loadPushRules(requester);
    return { json: { enabled: getPushRule(ruleset, params.kind, params.ruleId).enabled } };
  },
});
