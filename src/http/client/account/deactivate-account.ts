/** POST /_matrix/client/v3/account/deactivate — https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3accountdeactivate */
import type { Accounts } from '../../../accounts/index.ts';
import { boolean, jsonObject, object, optional, string, withDefault } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';

export const deactivateAccount = defineEndpoint({
  operationId: 'deactivateAccount',
  method: 'POST',
  path: '/_matrix/client/v3/account/deactivate',
  auth: 'optionalAccessToken',
  rateLimit: 'login',
  params: {},
  query: {},
  body: object({ erase: withDefault(boolean(), false), id_server: optional(string()), auth: optional(jsonObject()) }),
  async handle({ body, requester }, { accounts }: { accounts: Pick<Accounts, 'deactivateOwnAccount'> }) {
    await accounts.deactivateOwnAccount(requester, body);
    return { json: { id_server_unbind_result: 'success' } };
  },
});
