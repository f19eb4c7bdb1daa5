/** DELETE /_matrix/client/v3/pushrules/global/{kind}/{ruleId} — https://spec.matrix.org/v1.19/client-server-api/#delete_matrixclientv3pushrulesglobalkindruleid */
import type { Accounts } from '../../../accounts/index.ts';
import { deletePushRule as withoutPushRule } from '../../../matrix/push-rules/edit-push-rules.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { pushRulePath } from './push-rule-path.ts';

export const deletePushRule = defineEndpoint({
  operationId: 'deletePushRule',
  method: 'DELETE',
  path: '/_matrix/client/v3/pushrules/global/{kind}/{ruleId}',
  auth: 'accessToken',
  rateLimit: 'account',
  params: pushRulePath,
  query: {},
  async handle({ params, requester }, { accounts }: { accounts: Pick<Accounts, 'editPushRules'> }) {
    const { kind, ruleId } = params;
    await accounts.editPushRules(requester, (changes) => withoutPushRule(changes, kind, ruleId));
    return { json: {} };
  },
});
