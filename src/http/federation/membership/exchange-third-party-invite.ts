/** PUT /_matrix/federation/v1/exchange_third_party_invite/{roomId}. https://spec.matrix.org/v1.19/server-server-api/#put_matrixfederationv1exchange_third_party_inviteroomid */
import type { Memberships } from '../../../federation/membership/index.ts';
import { invalidParam } from '../../../matrix/errors.ts';
import { roomId, userId } from '../../client/rooms/identifiers.ts';
import { jsonObject, object, string } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';

export const exchangeThirdPartyInvite = defineEndpoint({
  operationId: 'exchangeThirdPartyInvite',
  method: 'PUT',
  path: '/_matrix/federation/v1/exchange_third_party_invite/{roomId}',
  auth: 'serverSignature',
  rateLimit: 'federation',
  params: { roomId: roomId() },
  query: {},
  body: object({
    type: string(),
    room_id: roomId(),
    sender: userId(),
    state_key: userId(),
    content: object({ membership: string(), third_party_invite: object({ signed: jsonObject() }) }),
  }),
  async handle(
    { params, body, requester },
    { memberships }: { memberships: Pick<Memberships, 'exchangeThirdPartyInvite'> },
  ) {
    const { content, sender, state_key: target } = body;
    if (body.type !== 'm.room.member' || content.membership !== 'invite' || body.room_id !== params.roomId)
      throw invalidParam('The body is no invite to this room');
    const { signed } = content.third_party_invite;
    await memberships.exchangeThirdPartyInvite(requester, { roomId: params.roomId, sender, target, signed });
    return { json: {} };
  },
});
