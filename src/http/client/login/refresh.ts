/** POST /_matrix/client/v3/refresh — https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3refresh */
import type { Accounts } from '../../../accounts/index.ts';
import { object, string } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { tokenTimes } from '../session-reply.ts';

export const refresh = defineEndpoint({
  operationId: 'refresh',
  method: 'POST',
  path: '/_matrix/client/v3/refresh',
  auth: 'none',
  rateLimit: 'read',
  repliesWithSecrets: true,
  params: {},
  query: {},
  body: object({ refresh_token: string() }),
  async handle({ body }, { accounts }: { accounts: Pick<Accounts, 'refreshSession'> }) {
    const session = await accounts.refreshSession(body.refresh_token);
    return { json: { access_token: session.accessToken, ...tokenTimes(session) } };
  },
});
