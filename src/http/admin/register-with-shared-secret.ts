/** POST /_synapse/admin/v1/register — https://element-hq.github.io/synapse/latest/admin_api/register_api.html */
import type { Accounts } from '../../accounts/index.ts';
import { sessionReply } from '../client/session-reply.ts';
import { defineEndpoint } from '../endpoint.ts';
import { signedRegistration, signedRegistrationBody } from './signed-registration-body.ts';

export const registerWithSharedSecret = defineEndpoint({
  operationId: 'registerWithSharedSecret',
  method: 'POST',
  path: '/_synapse/admin/v1/register',
  auth: 'none',
  rateLimit: 'login',
  repliesWithSecrets: true,
  params: {},
  query: {},
  body: signedRegistrationBody,
  async handle({ body, client }, { accounts }: { accounts: Pick<Accounts, 'sharedSecret'> }) {
    const { userId, session } = await accounts.sharedSecret.register(signedRegistration(body, client));
    return { json: session === undefined ? { user_id: userId } : sessionReply(session) };
  },
});
