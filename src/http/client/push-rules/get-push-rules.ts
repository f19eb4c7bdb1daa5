/** GET /_matrix/client/v3/pushrules/ — https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3pushrules */
import type { Accounts } from '../../../accounts/index.ts';
import { defineEndpoint } from '../../endpoint.ts';

export const getPushRules = defineEndpoint({
  operationId: 'getPushRules',
  method: 'GET',
  path: '/_matrix/client/v3/pushrules/',
  auth: 'accessToken',
  rateLimit: 'read',
  params: {},
  query: {},
  async handle({ requester }, { accounts }: { accounts: Pick<Accounts, 'loadPushRules'> }) {
    return { json: { global: (await accounts.loadPushRules(requester)).ruleset } };
  },
});
