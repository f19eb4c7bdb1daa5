/** PUT /_matrix/client/v3/user/{userId}/rooms/{roomId}/account_data/{type} — https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3useruseridroomsroomidaccount_datatype */
import type { Accounts } from '../../../accounts/index.ts';
import { jsonObject, string } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { assertOwn } from '../own-user.ts';
import { roomId } from '../rooms/identifiers.ts';

export const setAccountDataPerRoom = defineEndpoint({
  operationId: 'setAccountDataPerRoom',
  method: 'PUT',
  path: '/_matrix/client/v3/user/{userId}/rooms/{roomId}/account_data/{type}',
  auth: 'accessToken',
  rateLimit: 'signal',
  params: { userId: string(), roomId: roomId(), type: string() },
  query: {},
  body: jsonObject(),
  async handle({ params, body, requester }, { accounts }: { accounts: Pick<Accounts, 'setAccountData'> }) {
    assertOwn(requester, params.userId);
    const { userNid, userId } = requester;
    await accounts.setAccountData({ userNid, userId, roomId: params.roomId, type: params.type }, body);
    return { json: {} };
  },
});
