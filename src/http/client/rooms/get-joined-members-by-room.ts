/** GET /_matrix/client/v3/rooms/{roomId}/joined_members — https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3roomsroomidjoined_members */
import type { Rooms } from '../../../rooms/index.ts';

import { defineEndpoint } from '../../endpoint.ts';
import { roomId } from './identifiers.ts';

export const getJoinedMembersByRoom = defineEndpoint({
  operationId: 'getJoinedMembersByRoom',
  method: 'GET',
  path: '/_matrix/client/v3/rooms/{roomId}/joined_members',
  auth: 'accessToken',
  rateLimit: 'read',
  params: { roomId: roomId() },
  query: {},
  async handle({ params, requester }, { rooms }: { rooms: Pick<Rooms, 'joinedMembers'> }) {
    return { json: { joined: await rooms.joinedMembers(requester, params.roomId) } };
  },
});
