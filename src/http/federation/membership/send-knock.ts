/** PUT /_matrix/federation/v1/send_knock/{roomId}/{eventId}. https://spec.matrix.org/v1.19/server-server-api/#put_matrixfederationv1send_knockroomideventid */
import type { Memberships } from '../../../federation/membership/index.ts';
import { eventId, roomId } from '../../client/rooms/identifiers.ts';
import { jsonObject } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';

export const sendKnock = defineEndpoint({
  operationId: 'sendKnock',
  method: 'PUT',
  path: '/_matrix/federation/v1/send_knock/{roomId}/{eventId}',
  auth: 'serverSignature',
  rateLimit: 'federation',
  params: { roomId: roomId(), eventId: eventId() },
  query: {},
  body: jsonObject(),
  async handle({ params, body, requester }, { memberships }: { memberships: Pick<Memberships, 'sendKnock'> }) {
    const shown = await memberships.sendKnock(requester, { ...params, pdu: body });
    return { json: { knock_room_state: shown } };
  },
});
