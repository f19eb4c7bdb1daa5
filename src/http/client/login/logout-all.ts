/** POST /_matrix/client/v3/logout/all — https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3logoutall */
import type { Accounts } from '../../../accounts/index.ts';
import { defineEndpoint } from '../../endpoint.ts';

export const logoutAll = defineEndpoint({
  operationId: 'logout_all',
  method: 'POST',
  path: '/_matrix/client/v3/logout/all',
  auth: 'accessToken',
  rateLimit: 'none',
  allowLocked: true,
  allowExpired: true,
  params: {},
  query: {},
  async handle({ requester }, { accounts }: { accounts: Pick<Accounts, 'logOutAll'> }) {
    await accounts.logOutAll(requester);
    return { json: {} };
  },
});
