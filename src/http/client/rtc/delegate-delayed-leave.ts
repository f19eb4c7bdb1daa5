/** POST /_matrix/client/v1/rtc/livekit/delegate_delayed_leave — https://github.com/matrix-org/matrix-spec-proposals/pull/4195 (MSC4195) */
import type { Rtc } from '../../../rtc/index.ts';
import { object, string } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { callMemberFields } from './call-member.ts';

export const delegateDelayedLeave = defineEndpoint({
  operationId: 'delegateDelayedLeave',
  method: 'POST',
  path: '/_matrix/client/v1/rtc/livekit/delegate_delayed_leave',
  alsoAt: ['/_matrix/client/unstable/io.element.msc4195/rtc/livekit/delegate_delayed_leave'],
  auth: 'accessToken',
  rateLimit: 'account',
  refusedWhileSuspended: true,
  params: {},
  query: {},
  body: object({ ...callMemberFields, delay_id: string({ maxBytes: 255 }) }),
  async handle({ body, requester }, { rtc }: { rtc: Pick<Rtc, 'livekit'> }) {
    const livekit = rtc.livekit();
    livekit.assertOurs(body.url);
    const member = {
      userId: requester.userId,
      roomId: body.room_id,
      slot: { slotId: body.slot_id, memberId: body.member.id },
      deviceId: body.member.claimed_device_id ?? requester.deviceId,
    };
    await livekit.delegateLeave(member, body.delay_id);
    return { json: {} };
  },
});
