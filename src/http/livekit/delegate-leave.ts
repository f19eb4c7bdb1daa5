/** POST /_matrix/livekit/jwt/delegate_delayed_leave: this server looks after the delayed event that ends a member's part in a call. */
import type { Rtc } from '../../rtc/index.ts';
import { object, string } from '../decode.ts';
import { defineEndpoint } from '../endpoint.ts';
import { delayFields, memberFields } from './request-fields.ts';

export const delegateLeave = defineEndpoint({
  operationId: 'delegateLeave',
  method: 'POST',
  path: '/_matrix/livekit/jwt/delegate_delayed_leave',
  auth: 'none',
  rateLimit: 'login',
  params: {},
  query: {},
  body: object({ ...memberFields, ...delayFields, delay_id: string({ maxBytes: 255 }) }),
  async handle({ body }, { rtc }: { rtc: Pick<Rtc, 'livekit'> }) {
    const livekit = rtc.livekit();
    const { access_token: accessToken, matrix_server_name: serverName } = body.openid_token;
    const { id: memberId, claimed_user_id: claimedUserId, claimed_device_id: deviceId } = body.member;
    const userId = await livekit.verify({ accessToken, serverName }, claimedUserId);
    const slot = { slotId: body.slot_id, memberId };
    await livekit.delegateLeave({ userId, roomId: body.room_id, slot, deviceId }, body.delay_id);
    return { json: {} };
  },
});
