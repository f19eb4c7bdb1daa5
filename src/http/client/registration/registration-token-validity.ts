/** GET /_matrix/client/v1/register/m.login.registration_token/validity — https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1registermloginregistration_tokenvalidity */
import type { Accounts } from '../../../accounts/index.ts';
import { string } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';

export const registrationTokenValidity = defineEndpoint({
  operationId: 'registrationTokenValidity',
  method: 'GET',
  path: '/_matrix/client/v1/register/m.login.registration_token/validity',
  auth: 'none',
  rateLimit: 'login',
  params: {},
  query: { token: string() },
  async handle({ query }, { accounts }: { accounts: Pick<Accounts, 'isRegistrationTokenValid'> }) {
    return { json: { valid: await accounts.isRegistrationTokenValid(query.token) } };
  },
});
