/** PUT /_matrix/client/v3/pushrules/global/{kind}/{ruleId} — https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3pushrulesglobalkindruleid */
import type { Accounts } from '../../../accounts/index.ts';
import { decodePushRule } from '../../../matrix/push-rules/decode-push-rule.ts';
import { addPushRule } from '../../../matrix/push-rules/edit-push-rules.ts';
import { jsonObject, optional, string } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { pushRulePath } from './push-rule-path.ts';

export const setPushRule = defineEndpoint({
  operationId: 'setPushRule',
  method: 'PUT',
  path: '/_matrix/client/v3/pushrules/global/{kind}/{ruleId}',
  auth: 'accessToken',
  rateLimit: 'account',
  params: pushRulePath,
  query: { before: optional(string()), after: optional(string()) },
  body: jsonObject(),
  async handle({ params, query, body, requester }, { accounts }: { accounts: Pick<Accounts, 'editPushRules'> }) {
    const { kind, ruleId } = params;
    const rule = decodePushRule(kind, body);
    await accounts.editPushRules(requester, (changes) => addPushRule(changes, kind, ruleId, rule, query));
    return { json: {} };
  },
});
