/** POST /_matrix/client/v3/account/3pid/delete — https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3account3piddelete */
import type { Accounts } from '../../../accounts/index.ts';
import { object, oneOf, optional, string } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';

export const delete3pidFromAccount = defineEndpoint({
  operationId: 'delete3pidFromAccount',
  method: 'POST',
  path: '/_matrix/client/v3/account/3pid/delete',
  auth: 'accessToken',
  rateLimit: 'account',
  refusedWhileSuspended: true,
  params: {},
  query: {},
  body: object({ medium: oneOf('email', 'msisdn'), address: string(), id_server: optional(string()) }),
  async handle({ body, requester }, { accounts }: { accounts: Pick<Accounts, 'removeThreepid'> }) {
    await accounts.removeThreepid(requester, body.medium, body.address);
    // Nothing was ever bound to an identity server.
    return { json: { id_server_unbind_result: 'no-support' } };
  },
});
