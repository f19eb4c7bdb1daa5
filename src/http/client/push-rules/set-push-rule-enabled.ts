/** PUT /_matrix/client/v3/pushrules/global/{kind}/{ruleId}/enabled — https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3pushrulesglobalkindruleidenabled */
import type { Accounts } from '../../../accounts/index.ts';
import { setPushRuleEnabled as withEnabled } from '../../../matrix/push-rules/edit-push-rules.ts';
import { boolean, object } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { pushRulePath } from './push-rule-path.ts';

export const setPushRuleEnabled = defineEndpoint({
  operationId: 'setPushRuleEnabled',
  method: 'PUT',
  path: '/_matrix/client/v3/pushrules/global/{kind}/{ruleId}/enabled',
  auth: 'accessToken',
  rateLimit: 'account',
  params: pushRulePath,
  query: {},
  body: object({ enabled: boolean() }),
  async handle({ params, body, requester }, { accounts }: { accounts: Pick<Accounts, 'editPushRules'> }) {
    const { kind, ruleId } = params;
    await accounts.editPushRules(requester, (changes, defaults) =>
      withEnabled(changes, defaults, kind, ruleId, body.enabled),
    );
    return { json: {} };
  },
});
