import type { Accounts } from '../../accounts/index.ts';
import { defineEndpoint } from '../endpoint.ts';
import { signedRegistration, signedRegistrationBody } from './signed-registration-body.ts';

/** POST /_veche/admin/v1/operator/register: the second half, signed by a secret that only who has the signing key can derive. */
export const registerAsOperator = defineEndpoint({
  operationId: 'registerAsOperator',
  method: 'POST',
  path: '/_veche/admin/v1/operator/register',
  auth: 'none',
  rateLimit: 'login',
  repliesWithSecrets: true,
  params: {},
  query: {},
  body: signedRegistrationBody,
  async handle({ body, client }, { accounts }: { accounts: Pick<Accounts, 'operator'> }) {
    const request = { ...signedRegistration(body, client), inhibitLogin: true };
    const { userId } = await accounts.operator.register(request);
    return { json: { user_id: userId } };
  },
});
