/** PUT /_matrix/federation/v1/3pid/onbind. https://spec.matrix.org/v1.19/server-server-api/#put_matrixfederationv13pidonbind */
import type { Memberships } from '../../../federation/membership/index.ts';
import { roomId, userId } from '../../client/rooms/identifiers.ts';
import { arrayOf, jsonObject, object, string } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';

export const onBindThirdPartyIdentifier = defineEndpoint({
  operationId: 'onBindThirdPartyIdentifier',
  method: 'PUT',
  path: '/_matrix/federation/v1/3pid/onbind',
  // An identity server is no Matrix server; what it has signed is checked by who knows the room.
  auth: 'none',
  rateLimit: 'invite',
  params: {},
  query: {},
  body: object({
    medium: string(),
    address: string(),
    mxid: userId(),
    invites: arrayOf(
      object({
        medium: string(),
        address: string(),
        mxid: userId(),
        room_id: roomId(),
        sender: userId(),
        signed: jsonObject(),
      }),
    ),
  }),
  async handle({ body }, { memberships }: { memberships: Pick<Memberships, 'receiveBinding'> }) {
    const invites = body.invites.map(({ mxid: target, room_id: invitedTo, sender, signed }) => {
      return { roomId: invitedTo, sender, target, signed };
    });
    await memberships.receiveBinding({ userId: body.mxid, invites });
    return { json: {} };
  },
});
