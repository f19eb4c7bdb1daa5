/** GET /_matrix/client/v3/pushrules/global/ — https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3pushrulesglobal */
import type { Accounts } from '../../../accounts/index.ts';
import { defineEndpoint } from '../../endpoint.ts';

export const getPushRulesGlobal = defineEndpoint({
  operationId: 'getPushRulesGlobal',
  method: 'GET',
  path: '/_matrix/client/v3/pushrules/global/',
  auth: 'accessToken',
  rateLimit: 'read',
  params: {},
  query: {},
  async handle({ requester }, { accounts }: { accounts: Pick<Accounts, 'loadPushRules'> }) {
    return { json: (await accounts.loadPushRules(requester)).ruleset };
  },
});
