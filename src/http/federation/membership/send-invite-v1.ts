/** PUT /_matrix/federation/v1/invite/{roomId}/{eventId}. https://spec.matrix.org/v1.19/server-server-api/#put_matrixfederationv1inviteroomideventid */
import type { Memberships } from '../../../federation/membership/index.ts';
import { isJsonObject, type JsonValue } from '../../../matrix/json/json-value.ts';
import { eventId, roomId } from '../../client/rooms/identifiers.ts';
import { jsonObject } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';

export const sendInviteV1 = defineEndpoint({
  operationId: 'sendInviteV1',
  method: 'PUT',
  path: '/_matrix/federation/v1/invite/{roomId}/{eventId}',
  auth: 'serverSignature',
  rateLimit: 'federation',
  params: { roomId: roomId(), eventId: eventId() },
  query: {},
  body: jsonObject(),
  async handle({ params, body: pdu, requester }, { memberships }: { memberships: Pick<Memberships, 'receiveInvite'> }) {
    // It is for rooms of the first two versions, which do not differ in what matters here.
    const request = { ...params, roomVersion: '1', pdu, roomState: stateIn(pdu['unsigned']) };
    return { json: `[200,{"event":${await memberships.receiveInvite(requester, request)}}]` };
  },
});

function stateIn(unsigned: JsonValue | undefined): readonly JsonValue[] {
  const state = isJsonObject(unsigned) ? unsigned['invite_room_state'] : undefined;
  return Array.isArray(state) ? (state as readonly JsonValue[]) : [];
}
