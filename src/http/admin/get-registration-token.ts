/** GET /_synapse/admin/v1/registration_tokens/{token} — https://element-hq.github.io/synapse/latest/usage/administration/admin_api/registration_tokens.html */
import type { Accounts } from '../../accounts/index.ts';
import { string } from '../decode.ts';
import { defineEndpoint } from '../endpoint.ts';
import { registrationTokenReply } from './registration-token-reply.ts';

export const getRegistrationToken = defineEndpoint({
  operationId: 'getRegistrationToken',
  method: 'GET',
  path: '/_synapse/admin/v1/registration_tokens/{token}',
  auth: 'adminAccessToken',
  rateLimit: 'read',
  repliesWithSecrets: true,
  params: { token: string() },
  query: {},
  async handle({ params }, { accounts }: { accounts: Pick<Accounts, 'registrationTokens'> }) {
    return { json: registrationTokenReply(await accounts.registrationTokens.get(params.token)) };
  },
});
