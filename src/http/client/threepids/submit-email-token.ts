import { submitEmailTokenPath } from '../../../accounts/email/email-sessions.ts';
import type { Accounts } from '../../../accounts/index.ts';
import { MatrixError } from '../../../matrix/errors.ts';
import { object, string } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';

/**
 * POST to a `submit_url`: an app sends the code that its user has typed from the message.
 * https://spec.matrix.org/v1.19/identity-service-api/#post_matrixidentityv2validateemailsubmittoken
 */
export const submitEmailToken = defineEndpoint({
  operationId: 'submitEmailToken',
  method: 'POST',
  path: submitEmailTokenPath,
  auth: 'none',
  rateLimit: 'login',
  params: {},
  query: {},
  body: object({ sid: string(), client_secret: string(), token: string() }),
  async handle({ body }, { accounts }: { accounts: Pick<Accounts, 'emailSessions'> }) {
    const { sid, client_secret: clientSecret, token } = body;
    const isConfirmed = await accounts.emailSessions.submitToken({ sid, clientSecret }, token);
    if (!isConfirmed) throw new MatrixError(400, 'M_TOKEN_INCORRECT', 'The code is wrong or has expired');
    return { json: { success: true } };
  },
});
