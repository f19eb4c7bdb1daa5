/** POST /_matrix/client/v3/account/3pid/add — https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3account3pidadd */
import type { Accounts } from '../../../accounts/index.ts';
import { jsonObject, object, optional, string } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';

export const add3pid = defineEndpoint({
  operationId: 'add3PID',
  method: 'POST',
  path: '/_matrix/client/v3/account/3pid/add',
  auth: 'accessToken',
  rateLimit: 'account',
  refusedWhileSuspended: true,
  params: {},
  query: {},
  body: object({ auth: optional(jsonObject()), client_secret: string(), sid: string() }),
  async handle({ body, requester }, { accounts }: { accounts: Pick<Accounts, 'addEmail'> }) {
    const { sid, client_secret: clientSecret, auth } = body;
    await accounts.addEmail(requester, { sid, clientSecret }, auth);
    return { json: {} };
  },
});
