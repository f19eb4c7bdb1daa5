/** PUT /_matrix/federation/v2/send_leave/{roomId}/{eventId}. https://spec.matrix.org/v1.19/server-server-api/#put_matrixfederationv2send_leaveroomideventid */
import type { Memberships } from '../../../federation/membership/index.ts';
import { eventId, roomId } from '../../client/rooms/identifiers.ts';
import { jsonObject } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';

export const sendLeaveV2 = defineEndpoint({
  operationId: 'sendLeaveV2',
  method: 'PUT',
  path: '/_matrix/federation/v2/send_leave/{roomId}/{eventId}',
  auth: 'serverSignature',
  rateLimit: 'federation',
  params: { roomId: roomId(), eventId: eventId() },
  query: {},
  body: jsonObject(),
  async handle({ params, body, requester }, { memberships }: { memberships: Pick<Memberships, 'sendLeave'> }) {
    await memberships.sendLeave(requester, { ...params, pdu: body });
    return { json: {} };
  },
});
