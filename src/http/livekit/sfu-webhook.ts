/** POST /_matrix/livekit/jwt/sfu_webhook: LiveKit tells who came and who went. https://docs.livekit.io/home/server/webhooks/ */
import type { Rtc } from '../../rtc/index.ts';
import { string } from '../decode.ts';
import { defineEndpoint } from '../endpoint.ts';

export const sfuWebhook = defineEndpoint({
  operationId: 'sfuWebhook',
  method: 'POST',
  path: '/_matrix/livekit/jwt/sfu_webhook',
  auth: 'none',
  rateLimit: 'read',
  params: {},
  query: {},
  body: string(),
  bodyFormat: 'text',
  async handle(request, { rtc }: { rtc: Pick<Rtc, 'livekit'> }) {
    await rtc.livekit().webhook(request.header('authorization'), request.body);
    return { json: {} };
  },
});
