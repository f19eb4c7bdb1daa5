/** GET /_matrix/client/v3/user/{userId}/rooms/{roomId}/tags — https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3useruseridroomsroomidtags */
import type { Accounts } from '../../../accounts/index.ts';
import { string } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { assertOwn } from '../own-user.ts';
import { roomId } from '../rooms/identifiers.ts';

export const getRoomTags = defineEndpoint({
  operationId: 'getRoomTags',
  method: 'GET',
  path: '/_matrix/client/v3/user/{userId}/rooms/{roomId}/tags',
  auth: 'accessToken',
  rateLimit: 'read',
  params: { userId: string(), roomId: roomId() },
  query: {},
  async handle({ params, requester }, { accounts }: { accounts: Pick<Accounts, 'getTags'> }) {
    assertOwn(requester, params.userId);
    const { userNid, userId } = requester;
    return { json: { tags: await accounts.getTags({ userNid, userId, roomId: params.roomId }) } };
  },
});
