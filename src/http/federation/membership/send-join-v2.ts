/** PUT /_matrix/federation/v2/send_join/{roomId}/{eventId}. https://spec.matrix.org/v1.19/server-server-api/#put_matrixfederationv2send_joinroomideventid */
import type { Memberships } from '../../../federation/membership/index.ts';
import { eventId, roomId } from '../../client/rooms/identifiers.ts';
import { jsonObject, queryBoolean, withDefault } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';

export const sendJoinV2 = defineEndpoint({
  operationId: 'sendJoinV2',
  method: 'PUT',
  path: '/_matrix/federation/v2/send_join/{roomId}/{eventId}',
  auth: 'serverSignature',
  rateLimit: 'federation',
  params: { roomId: roomId(), eventId: eventId() },
  query: { omit_members: withDefault(queryBoolean(), false) },
  body: jsonObject(),
  async handle({ params, query, body, requester }, { memberships }: { memberships: Pick<Memberships, 'sendJoin'> }) {
    const request = { ...params, pdu: body, omitMembers: query.omit_members };
    return { jsonPieces: await memberships.sendJoin(requester, request) };
  },
});
