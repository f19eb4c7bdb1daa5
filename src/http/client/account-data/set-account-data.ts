/** PUT /_matrix/client/v3/user/{userId}/account_data/{type} — https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3useruseridaccount_datatype */
import type { Accounts } from '../../../accounts/index.ts';
import { jsonObject, string } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { assertOwn } from '../own-user.ts';

export const setAccountData = defineEndpoint({
  operationId: 'setAccountData',
  method: 'PUT',
  path: '/_matrix/client/v3/user/{userId}/account_data/{type}',
  auth: 'accessToken',
  rateLimit: 'signal',
  params: { userId: string(), type: string() },
  query: {},
  body: jsonObject(),
  async handle({ params, body, requester }, { accounts }: { accounts: Pick<Accounts, 'setAccountData'> }) {
    assertOwn(requester, params.userId);
    const { userNid, userId } = requester;
    await accounts.setAccountData({ userNid, userId, roomId: undefined, type: params.type }, body);
    return { json: {} };
  },
});
