/** PUT /_matrix/federation/v2/invite/{roomId}/{eventId}. https://spec.matrix.org/v1.19/server-server-api/#put_matrixfederationv2inviteroomideventid */
import type { Memberships } from '../../../federation/membership/index.ts';
import { eventId, roomId } from '../../client/rooms/identifiers.ts';
import { arrayOf, json, jsonObject, object, string, withDefault } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';

export const sendInviteV2 = defineEndpoint({
  operationId: 'sendInviteV2',
  method: 'PUT',
  path: '/_matrix/federation/v2/invite/{roomId}/{eventId}',
  auth: 'serverSignature',
  rateLimit: 'federation',
  params: { roomId: roomId(), eventId: eventId() },
  query: {},
  body: object({
    room_version: string(),
    event: jsonObject(),
    invite_room_state: withDefault(arrayOf(json()), []),
  }),
  async handle({ params, body, requester }, { memberships }: { memberships: Pick<Memberships, 'receiveInvite'> }) {
    const { room_version: roomVersion, event: pdu, invite_room_state: roomState } = body;
    const signed = await memberships.receiveInvite(requester, { ...params, roomVersion, pdu, roomState });
    return { json: `{"event":${signed}}` };
  },
});
