/** DELETE /_synapse/admin/v1/registration_tokens/{token} — https://element-hq.github.io/synapse/latest/usage/administration/admin_api/registration_tokens.html */
import type { Accounts } from '../../accounts/index.ts';
import { string } from '../decode.ts';
import { defineEndpoint } from '../endpoint.ts';

export const deleteRegistrationToken = defineEndpoint({
  operationId: 'deleteRegistrationToken',
  method: 'DELETE',
  path: '/_synapse/admin/v1/registration_tokens/{token}',
  auth: 'adminAccessToken',
  rateLimit: 'none',
  params: { token: string() },
  query: {},
  async handle({ params }, { accounts }: { accounts: Pick<Accounts, 'registrationTokens'> }) {
    await accounts.registrationTokens.remove(params.token);
    return { json: {} };
  },
});
