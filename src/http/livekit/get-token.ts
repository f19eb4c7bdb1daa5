/** POST /_matrix/livekit/jwt/get_token: a LiveKit token for a member of a call. */
import type { Rtc } from '../../rtc/index.ts';
import { object } from '../decode.ts';
import { defineEndpoint } from '../endpoint.ts';
import { delayFields, memberFields } from './request-fields.ts';

export const getToken = defineEndpoint({
  operationId: 'getToken',
  method: 'POST',
  path: '/_matrix/livekit/jwt/get_token',
  auth: 'none',
  rateLimit: 'login',
  repliesWithSecrets: true,
  params: {},
  query: {},
  body: object({ ...memberFields, ...delayFields }),
  async handle({ body }, { rtc }: { rtc: Pick<Rtc, 'livekit'> }) {
    const livekit = rtc.livekit();
    const { access_token: accessToken, matrix_server_name: serverName } = body.openid_token;
    const { id: memberId, claimed_user_id: claimedUserId, claimed_device_id: deviceId } = body.member;
    const userId = await livekit.verify({ accessToken, serverName }, claimedUserId);
    const member = { userId, roomId: body.room_id, slot: { slotId: body.slot_id, memberId }, deviceId };
    const { url, jwt } = await livekit.access(member);
    if (body.delay_id !== undefined) await livekit.delegateLeave(member, body.delay_id);
    return { json: { url, jwt } };
  },
});
