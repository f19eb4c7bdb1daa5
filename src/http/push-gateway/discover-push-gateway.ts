/**
 * GET /_matrix/push/v1/notify: that UnifiedPush endpoints may be pushkeys here (https://unifiedpush.org/developers/gateway/),
 * and the public key that a browser needs for a Web Push subscription (VAPID).
 */
import type { Push } from '../../push/index.ts';
import { defineEndpoint } from '../endpoint.ts';

export const discoverPushGateway = defineEndpoint({
  operationId: 'discoverPushGateway',
  method: 'GET',
  path: '/_matrix/push/v1/notify',
  auth: 'none',
  rateLimit: 'read',
  params: {},
  query: {},
  async handle(_request, { push }: { push: Pick<Push, 'gateway'> }) {
    const vapid = await push.gateway.publicKey();
    return { json: { unifiedpush: { gateway: 'matrix' }, webpush: { vapid } } };
  },
});
