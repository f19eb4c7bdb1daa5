/** GET /_matrix/client/v3/pushrules/global/{kind}/{ruleId}/actions — https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3pushrulesglobalkindruleidactions */
import type { Accounts } from '../../../accounts/index.ts';
import { getPushRule } from '../../../matrix/push-rules/edit-push-rules.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { pushRulePath } from './push-rule-path.ts';

export const getPushRuleActions = defineEndpoint({
  operationId: 'getPushRuleActions',
  method: 'GET',
  path: '/_matrix/client/v3/pushrules/global/{kind}/{ruleId}/actions',
  auth: 'accessToken',
  rateLimit: 'read',
  params: pushRulePath,
  query: {},
  async handle({ params, requester }, { accounts }: { accounts: Pick<Accounts, 'loadPushRules'> }) {
    const { ruleset } = await accounts.loadPushRules(requester);
    return { json: { actions: getPushRule(ruleset, params.kind, params.ruleId).actions } };
  },
});
