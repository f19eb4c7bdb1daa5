/** POST /_matrix/client/v3/logout — https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3logout */
import type { Accounts } from '../../../accounts/index.ts';
import { defineEndpoint } from '../../endpoint.ts';

export const logout = defineEndpoint({
  operationId: 'logout',
  method: 'POST',
  path: '/_matrix/client/v3/logout',
  auth: 'accessToken',
  rateLimit: 'none',
  allowLocked: true,
  allowExpired: true,
  params: {},
  query: {},
  async handle({ requester }, { accounts }: { accounts: Pick<Accounts, 'logOut'> }) {
    await accounts.logOut(requester);
    return { json: {} };
  },
});
