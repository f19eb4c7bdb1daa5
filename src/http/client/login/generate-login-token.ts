/** POST /_matrix/client/v1/login/get_token — https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv1loginget_token */
import type { Accounts } from '../../../accounts/index.ts';
import { jsonObject, object, optional } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';

export const generateLoginToken = defineEndpoint({
  operationId: 'generateLoginToken',
  method: 'POST',
  path: '/_matrix/client/v1/login/get_token',
  auth: 'accessToken',
  rateLimit: 'login',
  repliesWithSecrets: true,
  params: {},
  query: {},
  body: object({ auth: optional(jsonObject()) }),
  async handle({ body, requester }, { accounts }: { accounts: Pick<Accounts, 'generateLoginToken'> }) {
    const { loginToken, expiresInMs } = await accounts.generateLoginToken(requester, body.auth);
    return { json: { login_token: loginToken, expires_in_ms: expiresInMs } };
  },
});
