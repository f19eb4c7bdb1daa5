/** PUT /_matrix/client/v3/user/{userId}/rooms/{roomId}/tags/{tag} — https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3useruseridroomsroomidtagstag */
import type { Accounts } from '../../../accounts/index.ts';
import { jsonObject, string } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { assertOwn } from '../own-user.ts';
import { roomId } from '../rooms/identifiers.ts';

export const setRoomTag = defineEndpoint({
  operationId: 'setRoomTag',
  method: 'PUT',
  path: '/_matrix/client/v3/user/{userId}/rooms/{roomId}/tags/{tag}',
  auth: 'accessToken',
  rateLimit: 'signal',
  params: { userId: string(), roomId: roomId(), tag: string() },
  query: {},
  body: jsonObject(),
  async handle({ params, body, requester }, { accounts }: { accounts: Pick<Accounts, 'setTag'> }) {
    assertOwn(requester, params.userId);
    const { userNid, userId } = requester;
    await accounts.setTag({ userNid, userId, roomId: params.roomId }, params.tag, body);
    return { json: {} };
  },
});
