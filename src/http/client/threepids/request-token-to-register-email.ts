/** POST /_matrix/client/v3/register/email/requestToken — https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3registeremailrequesttoken */
import type { Accounts } from '../../../accounts/index.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { emailRequestBody, requestEmail } from './email-request.ts';

export const requestTokenToRegisterEmail = defineEndpoint({
  operationId: 'requestTokenToRegisterEmail',
  method: 'POST',
  path: '/_matrix/client/v3/register/email/requestToken',
  auth: 'none',
  rateLimit: 'mail',
  params: {},
  query: {},
  body: emailRequestBody,
  async handle(request, { accounts }: { accounts: Pick<Accounts, 'emailSessions' | 'assertRegistrationOpen'> }) {
    accounts.assertRegistrationOpen();
    return requestEmail(request, accounts, 'register');
  },
});
