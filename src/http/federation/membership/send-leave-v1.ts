/** PUT /_matrix/federation/v1/send_leave/{roomId}/{eventId}: of earlier specifications, as old servers still ask. */
import type { Memberships } from '../../../federation/membership/index.ts';
import { eventId, roomId } from '../../client/rooms/identifiers.ts';
import { jsonObject } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';

export const sendLeaveV1 = defineEndpoint({
  operationId: 'sendLeaveV1',
  method: 'PUT',
  path: '/_matrix/federation/v1/send_leave/{roomId}/{eventId}',
  auth: 'serverSignature',
  rateLimit: 'federation',
  params: { roomId: roomId(), eventId: eventId() },
  query: {},
  body: jsonObject(),
  async handle({ params, body, requester }, { memberships }: { memberships: Pick<Memberships, 'sendLeave'> }) {
    await memberships.sendLeave(requester, { ...params, pdu: body });
    return { json: '[200,{}]' };
  },
});
