/** GET /_matrix/client/v3/profile/{userId} — https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3profileuserid */
import type { Accounts } from '../../../accounts/index.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { userId } from '../rooms/identifiers.ts';

export const getUserProfile = defineEndpoint({
  operationId: 'getUserProfile',
  method: 'GET',
  path: '/_matrix/client/v3/profile/{userId}',
  auth: 'none',
  rateLimit: 'read',
  params: { userId: userId() },
  query: {},
  async handle({ params }, { accounts }: { accounts: Pick<Accounts, 'getProfile'> }) {
    return { json: await accounts.getProfile(params.userId) };
  },
});
