import type { Accounts } from '../../accounts/index.ts';
import { defineEndpoint } from '../endpoint.ts';

/** GET /_veche/admin/v1/operator/register: the first half of how the command line makes an account on a running server. */
export const getOperatorNonce = defineEndpoint({
  operationId: 'getOperatorNonce',
  method: 'GET',
  path: '/_veche/admin/v1/operator/register',
  auth: 'none',
  rateLimit: 'login',
  repliesWithSecrets: true,
  params: {},
  query: {},
  async handle(_request, { accounts }: { accounts: Pick<Accounts, 'operator'> }) {
    return { json: { nonce: accounts.operator.issueNonce() } };
  },
});
