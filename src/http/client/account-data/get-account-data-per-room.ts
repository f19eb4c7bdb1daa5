/** GET /_matrix/client/v3/user/{userId}/rooms/{roomId}/account_data/{type} — https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3useruseridroomsroomidaccount_datatype */
import type { Accounts } from '../../../accounts/index.ts';
import { string } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { assertOwn } from '../own-user.ts';
import { roomId } from '../rooms/identifiers.ts';

export const getAccountDataPerRoom = defineEndpoint({
  operationId: 'getAccountDataPerRoom',
  method: 'GET',
  path: '/_matrix/client/v3/user/{userId}/rooms/{roomId}/account_data/{type}',
  auth: 'accessToken',
  rateLimit: 'read',
  params: { userId: string(), roomId: roomId(), type: string() },
  query: {},
  async handle({ params, requester }, { accounts }: { accounts: Pick<Accounts, 'getAccountData'> }) {
    assertOwn(requester, params.userId);
    const { userNid, userId } = requester;
    return { json: await accounts.getAccountData({ userNid, userId, roomId: params.roomId, type: params.type }) };
  },
});
