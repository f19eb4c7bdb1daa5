/** GET /_matrix/client/v3/user/{userId}/account_data/{type} — https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3useruseridaccount_datatype */
import type { Accounts } from '../../../accounts/index.ts';
import { string } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { assertOwn } from '../own-user.ts';

export const getAccountData = defineEndpoint({
  operationId: 'getAccountData',
  method: 'GET',
  path: '/_matrix/client/v3/user/{userId}/account_data/{type}',
  auth: 'accessToken',
  rateLimit: 'read',
  params: { userId: string(), type: string() },
  query: {},
  async handle({ params, requester }, { accounts }: { accounts: Pick<Accounts, 'getAccountData'> }) {
    assertOwn(requester, params.userId);
    const { userNid, userId } = requester;
    return { json: await accounts.getAccountData({ userNid, userId, roomId: undefined, type: params.type }) };
  },
});
