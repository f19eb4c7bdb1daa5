/** DELETE /_matrix/client/v3/user/{userId}/rooms/{roomId}/tags/{tag} — https://spec.matrix.org/v1.19/client-server-api/#delete_matrixclientv3useruseridroomsroomidtagstag */
import type { Accounts } from '../../../accounts/index.ts';
import { string } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { assertOwn } from '../own-user.ts';
import { roomId } from '../rooms/identifiers.ts';

export const deleteRoomTag = defineEndpoint({
  operationId: 'deleteRoomTag',
  method: 'DELETE',
  path: '/_matrix/client/v3/user/{userId}/rooms/{roomId}/tags/{tag}',
  auth: 'accessToken',
  rateLimit: 'signal',
  params: { userId: string(), roomId: roomId(), tag: string() },
  query: {},
  async handle({ params, requester }, { accounts }: { accounts: Pick<Accounts, 'removeTag'> }) {
    assertOwn(requester, params.userId);
    const { userNid, userId } = requester;
    await accounts.removeTag({ userNid, userId, roomId: params.roomId }, params.tag);
    return { json: {} };
  },
});
