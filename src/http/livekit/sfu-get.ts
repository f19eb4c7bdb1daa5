/** POST /_matrix/livekit/jwt/sfu/get: a LiveKit token for the room's own call, for clients from before there were slots. */
import type { Rtc } from '../../rtc/index.ts';
import { object, string } from '../decode.ts';
import { defineEndpoint } from '../endpoint.ts';
import { roomId } from '../client/rooms/identifiers.ts';
import { delayFields, openIdToken } from './request-fields.ts';

export const sfuGet = defineEndpoint({
  operationId: 'sfuGet',
  method: 'POST',
  path: '/_matrix/livekit/jwt/sfu/get',
  auth: 'none',
  rateLimit: 'login',
  repliesWithSecrets: true,
  params: {},
  query: {},
  body: object({ room: roomId(), openid_token: openIdToken, device_id: string({ maxBytes: 255 }), ...delayFields }),
  async handle({ body }, { rtc }: { rtc: Pick<Rtc, 'livekit'> }) {
    const livekit = rtc.livekit();
    const { access_token: accessToken, matrix_server_name: serverName } = body.openid_token;
    const userId = await livekit.verify({ accessToken, serverName });
    const member = { userId, roomId: body.room, slot: undefined, deviceId: body.device_id };
    const { url, jwt } = await livekit.access(member);
    if (body.delay_id !== undefined) await livekit.delegateLeave(member, body.delay_id);
    return { json: { url, jwt } };
  },
});
