/** GET /_matrix/client/v3/register/available — https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3registeravailable */
import type { Accounts } from '../../../accounts/index.ts';
import { string } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';

export const checkUsernameAvailability = defineEndpoint({
  operationId: 'checkUsernameAvailability',
  method: 'GET',
  path: '/_matrix/client/v3/register/available',
  auth: 'none',
  rateLimit: 'login',
  params: {},
  query: { username: string() },
  async handle({ query }, { accounts }: { accounts: Pick<Accounts, 'checkAvailability'> }) {
    await accounts.checkAvailability(query.username);
    return { json: { available: true } };
  },
});
