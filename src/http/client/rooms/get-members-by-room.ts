/** GET /_matrix/client/v3/rooms/{roomId}/members — https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3roomsroomidmembers */
import type { Rooms } from '../../../rooms/index.ts';
import { oneOf, optional, string } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { roomId } from './identifiers.ts';

export const getMembersByRoom = defineEndpoint({
  operationId: 'getMembersByRoom',
  method: 'GET',
  path: '/_matrix/client/v3/rooms/{roomId}/members',
  auth: 'accessToken',
  rateLimit: 'read',
  allowGuests: true,
  params: { roomId: roomId() },
  query: { at: optional(string()), membership: optional(membership()), not_membership: optional(membership()) },
  async handle({ params, query, requester }, { rooms }: { rooms: Pick<Rooms, 'members'> }) {
    const { at, membership, not_membership: notMembership } = query;
    return { json: { chunk: await rooms.members(requester, params.roomId, { at, membership, notMembership }) } };
  },
});

function membership() {
  return oneOf('join', 'invite', 'knock', 'leave', 'ban');
}
