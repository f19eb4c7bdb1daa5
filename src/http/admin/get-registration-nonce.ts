/** GET /_synapse/admin/v1/register — https://element-hq.github.io/synapse/latest/admin_api/register_api.html */
import type { Accounts } from '../../accounts/index.ts';
import { defineEndpoint } from '../endpoint.ts';

export const getRegistrationNonce = defineEndpoint({
  operationId: 'getRegistrationNonce',
  method: 'GET',
  path: '/_synapse/admin/v1/register',
  auth: 'none',
  rateLimit: 'login',
  repliesWithSecrets: true,
  params: {},
  query: {},
  async handle(_request, { accounts }: { accounts: Pick<Accounts, 'sharedSecret'> }) {
    return { json: { nonce: accounts.sharedSecret.issueNonce() } };
  },
});
