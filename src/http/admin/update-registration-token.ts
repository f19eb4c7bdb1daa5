/** PUT /_synapse/admin/v1/registration_tokens/{token} — https://element-hq.github.io/synapse/latest/usage/administration/admin_api/registration_tokens.html */
import type { Accounts } from '../../accounts/index.ts';
import type { RegistrationTokenChange } from '../../accounts/registration-tokens.ts';
import { type Decoder, integer, jsonObject, object, optional, string } from '../decode.ts';
import { defineEndpoint } from '../endpoint.ts';
import { registrationTokenReply } from './registration-token-reply.ts';

const fields = object({ uses_allowed: optional(integer({ min: 0 })), expiry_time: optional(integer({ min: 0 })) });

/** What is absent stays, null lifts the restriction. */
const tokenChange: Decoder<RegistrationTokenChange> = {
  isOptional: false,
  decode(value, at) {
    const body = jsonObject().decode(value, at);
    const { uses_allowed: usesAllowed, expiry_time: expiryTs } = fields.decode(body, at);
    return {
      ...(Object.hasOwn(body, 'uses_allowed') ? { usesAllowed } : {}),
      ...(Object.hasOwn(body, 'expiry_time') ? { expiryTs } : {}),
    };
  },
};

export const updateRegistrationToken = defineEndpoint({
  operationId: 'updateRegistrationToken',
  method: 'PUT',
  path: '/_synapse/admin/v1/registration_tokens/{token}',
  auth: 'adminAccessToken',
  rateLimit: 'none',
  repliesWithSecrets: true,
  params: { token: string() },
  query: {},
  body: tokenChange,
  async handle({ params, body }, { accounts }: { accounts: Pick<Accounts, 'registrationTokens'> }) {
    return { json: registrationTokenReply(await accounts.registrationTokens.update(params.token, body)) };
  },
});
