/** DELETE /_matrix/client/unstable/org.matrix.msc3391/user/{userId}/rooms/{roomId}/account_data/{type} — https://github.com/matrix-org/matrix-spec-proposals/pull/3391 (MSC3391) */
import type { Accounts } from '../../../accounts/index.ts';
import { string } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { assertOwn } from '../own-user.ts';
import { roomId } from '../rooms/identifiers.ts';

export const deleteAccountDataPerRoom = defineEndpoint({
  operationId: 'deleteAccountDataPerRoom',
  method: 'DELETE',
  path: '/_matrix/client/unstable/org.matrix.msc3391/user/{userId}/rooms/{roomId}/account_data/{type}',
  auth: 'accessToken',
  rateLimit: 'signal',
  params: { userId: string(), roomId: roomId(), type: string() },
  query: {},
  async handle({ params, requester }, { accounts }: { accounts: Pick<Accounts, 'deleteAccountData'> }) {
    assertOwn(requester, params.userId);
    const { userNid, userId } = requester;
    await accounts.deleteAccountData({ userNid, userId, roomId: params.roomId, type: params.type });
    return { json: {} };
  },
});
