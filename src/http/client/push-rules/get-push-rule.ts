/** GET /_matrix/client/v3/pushrules/global/{kind}/{ruleId} — https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3pushrulesglobalkindruleid */
import type { Accounts } from '../../../accounts/index.ts';
import { getPushRule as pushRuleOf } from '../../../matrix/push-rules/edit-push-rules.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { pushRulePath } from './push-rule-path.ts';

export const getPushRule = defineEndpoint({
  operationId: 'getPushRule',
  method: 'GET',
  path: '/_matrix/client/v3/pushrules/global/{kind}/{ruleId}',
  auth: 'accessToken',
  rateLimit: 'read',
  params: pushRulePath,
  query: {},
  async handle({ params, requester }, { accounts }: { accounts: Pick<Accounts, 'loadPushRules'> }) {
    const { ruleset } = await accounts.loadPushRules(requester);
    return { json: pushRuleOf(ruleset, params.kind, params.ruleId) };
  },
});
