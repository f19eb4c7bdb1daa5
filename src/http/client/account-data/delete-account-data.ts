/** DELETE /_matrix/client/unstable/org.matrix.msc3391/user/{userId}/account_data/{type} — https://github.com/matrix-org/matrix-spec-proposals/pull/3391 (MSC3391) */
import type { Accounts } from '../../../accounts/index.ts';
import { string } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { assertOwn } from '../own-user.ts';

export const deleteAccountData = defineEndpoint({
  operationId: 'deleteAccountData',
  method: 'DELETE',
  path: '/_matrix/client/unstable/org.matrix.msc3391/user/{userId}/account_data/{type}',
  auth: 'accessToken',
  rateLimit: 'signal',
  params: { userId: string(), type: string() },
  query: {},
  async handle({ params, requester }, { accounts }: { accounts: Pick<Accounts, 'deleteAccountData'> }) {
    assertOwn(requester, params.userId);
    const { userNid, userId } = requester;
    await accounts.deleteAccountData({ userNid, userId, roomId: undefined, type: params.type });
    return { json: {} };
  },
});
