/** GET /_synapse/admin/v1/registration_tokens — https://element-hq.github.io/synapse/latest/usage/administration/admin_api/registration_tokens.html */
import type { Accounts } from '../../accounts/index.ts';
import { optional, queryBoolean } from '../decode.ts';
import { defineEndpoint } from '../endpoint.ts';
import { registrationTokenReply } from './registration-token-reply.ts';

export const listRegistrationTokens = defineEndpoint({
  operationId: 'listRegistrationTokens',
  method: 'GET',
  path: '/_synapse/admin/v1/registration_tokens',
  auth: 'adminAccessToken',
  rateLimit: 'read',
  repliesWithSecrets: true,
  params: {},
  query: { valid: optional(queryBoolean()) },
  async handle({ query }, { accounts }: { accounts: Pick<Accounts, 'registrationTokens'> }) {
    const tokens = await accounts.registrationTokens.list(query.valid);
    return { json: { registration_tokens: tokens.map((token) => registrationTokenReply(token)) } };
  },
});
