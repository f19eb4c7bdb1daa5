/** POST /_matrix/push/v1/notify. https://spec.matrix.org/v1.19/push-gateway-api/#post_matrixpushv1notify */
import type { Push } from '../../push/index.ts';
import { jsonObject, object } from '../decode.ts';
import { defineEndpoint } from '../endpoint.ts';

export const notify = defineEndpoint({
  operationId: 'notify',
  method: 'POST',
  path: '/_matrix/push/v1/notify',
  // Any server may call it; what it does not do for anybody is in push/gateway/push-gateway.ts.
  auth: 'none',
  rateLimit: 'signal',
  params: {},
  query: {},
  body: object({ notification: jsonObject() }),
  async handle({ body }, { push }: { push: Pick<Push, 'gateway'> }) {
    return { json: { rejected: await push.gateway.notify(body.notification) } };
  },
});
