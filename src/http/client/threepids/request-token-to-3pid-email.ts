/** POST /_matrix/client/v3/account/3pid/email/requestToken — https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3account3pidemailrequesttoken */
import type { Accounts } from '../../../accounts/index.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { emailRequestBody, requestEmail } from './email-request.ts';

export const requestTokenTo3pidEmail = defineEndpoint({
  operationId: 'requestTokenTo3PIDEmail',
  method: 'POST',
  path: '/_matrix/client/v3/account/3pid/email/requestToken',
  auth: 'none',
  rateLimit: 'mail',
  params: {},
  query: {},
  body: emailRequestBody,
  async handle(request, { accounts }: { accounts: Pick<Accounts, 'emailSessions'> }) {
    return requestEmail(request, accounts, 'add');
  },
});
