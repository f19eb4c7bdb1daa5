/** GET /_matrix/client/v3/capabilities — https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3capabilities */
import type { Accounts } from '../../../accounts/index.ts';
import { defineEndpoint } from '../../endpoint.ts';

export const getCapabilities = defineEndpoint({
  operationId: 'getCapabilities',
  method: 'GET',
  path: '/_matrix/client/v3/capabilities',
  auth: 'accessToken',
  rateLimit: 'read',
  params: {},
  query: {},
  async handle({ requester }, { accounts }: { accounts: Pick<Accounts, 'capabilities'> }) {
    return { json: { capabilities: accounts.capabilities(requester) } };
  },
});
