/** POST /_matrix/client/v3/account/password/email/requestToken — https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3accountpasswordemailrequesttoken */
import type { Accounts } from '../../../accounts/index.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { emailRequestBody, requestEmail } from './email-request.ts';

export const requestTokenToResetPasswordEmail = defineEndpoint({
  operationId: 'requestTokenToResetPasswordEmail',
  method: 'POST',
  path: '/_matrix/client/v3/account/password/email/requestToken',
  auth: 'none',
  rateLimit: 'mail',
  params: {},
  query: {},
  body: emailRequestBody,
  async handle(request, { accounts }: { accounts: Pick<Accounts, 'emailSessions'> }) {
    return requestEmail(request, accounts, 'reset');
  },
});
