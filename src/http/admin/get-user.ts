/** GET /_synapse/admin/v2/users/{userId} — https://element-hq.github.io/synapse/latest/admin_api/user_admin_api.html#query-user-account */
import type { Accounts } from '../../accounts/index.ts';
import { userId } from '../client/rooms/identifiers.ts';
import { defineEndpoint } from '../endpoint.ts';
import { userReply } from './user-reply.ts';

export const getUser = defineEndpoint({
  operationId: 'getUser',
  method: 'GET',
  path: '/_synapse/admin/v2/users/{userId}',
  auth: 'adminAccessToken',
  rateLimit: 'read',
  params: { userId: userId() },
  query: {},
  async handle({ params }, { accounts }: { accounts: Pick<Accounts, 'readAccount'> }) {
    return { json: userReply(await accounts.readAccount(params.userId)) };
  },
});
