/** POST /_matrix/client/v1/rtc/livekit/get_token — https://github.com/matrix-org/matrix-spec-proposals/pull/4195 (MSC4195) */
import type { Rtc } from '../../../rtc/index.ts';
import { object } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { callMemberFields } from './call-member.ts';

export const getLivekitToken = defineEndpoint({
  operationId: 'getLivekitToken',
  method: 'POST',
  path: '/_matrix/client/v1/rtc/livekit/get_token',
  alsoAt: ['/_matrix/client/unstable/io.element.msc4195/rtc/livekit/get_token'],
  auth: 'accessToken',
  rateLimit: 'account',
  refusedWhileSuspended: true,
  repliesWithSecrets: true,
  params: {},
  query: {},
  body: object(callMemberFields),
  async handle({ body, requester }, { rtc }: { rtc: Pick<Rtc, 'livekit'> }) {
    const livekit = rtc.livekit();
    if (body.server_name !== undefined) livekit.assertHere(body.server_name);
    livekit.assertOurs(body.url);
    const { jwt, url } = await livekit.access({
      userId: requester.userId,
      roomId: body.room_id,
      slot: { slotId: body.slot_id, memberId: body.member.id },
      deviceId: body.member.claimed_device_id ?? requester.deviceId,
    });
    return { json: { jwt, url } };
  },
});
