/** PUT /_matrix/client/v3/pushrules/global/{kind}/{ruleId}/actions — https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3pushrulesglobalkindruleidactions */
import type { Accounts } from '../../../accounts/index.ts';
import { decodePushActions } from '../../../matrix/push-rules/decode-push-rule.ts';
import { setPushRuleActions as withActions } from '../../../matrix/push-rules/edit-push-rules.ts';
import { jsonObject } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { pushRulePath } from './push-rule-path.ts';

export const setPushRuleActions = defineEndpoint({
  operationId: 'setPushRuleActions',
  method: 'PUT',
  path: '/_matrix/client/v3/pushrules/global/{kind}/{ruleId}/actions',
  auth: 'accessToken',
  rateLimit: 'account',
  params: pushRulePath,
  query: {},
  body: jsonObject(),
  async handle({ params, body, requester }, { accounts }: { accounts: Pick<Accounts, 'editPushRules'> }) {
    const { kind, ruleId } = params;
    const actions = decodePushActions(body['actions']);
    await accounts.editPushRules(requester, (changes, defaults) =>
      withActions(changes, defaults, kind, ruleId, actions),
    );
    return { json: {} };
  },
});
