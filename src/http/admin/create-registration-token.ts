/** POST /_synapse/admin/v1/registration_tokens/new — https://element-hq.github.io/synapse/latest/usage/administration/admin_api/registration_tokens.html */
import type { Accounts } from '../../accounts/index.ts';
import { integer, object, optional, string } from '../decode.ts';
import { defineEndpoint } from '../endpoint.ts';
import { registrationTokenReply } from './registration-token-reply.ts';

export const createRegistrationToken = defineEndpoint({
  operationId: 'createRegistrationToken',
  method: 'POST',
  path: '/_synapse/admin/v1/registration_tokens/new',
  auth: 'adminAccessToken',
  rateLimit: 'none',
  repliesWithSecrets: true,
  params: {},
  query: {},
  body: object({
    token: optional(string()),
    length: optional(integer({ min: 1, max: 64 })),
    uses_allowed: optional(integer({ min: 0 })),
    expiry_time: optional(integer({ min: 0 })),
  }),
  async handle({ body }, { accounts }: { accounts: Pick<Accounts, 'registrationTokens'> }) {
    const { token, length, uses_allowed: usesAllowed, expiry_time: expiryTs } = body;
    const created = await accounts.registrationTokens.create({ token, length, usesAllowed, expiryTs });
    return { json: registrationTokenReply(created) };
  },
});
