/** GET /_matrix/client/unstable/org.matrix.msc3814.v1/dehydrated_device/{deviceId}/events — https://github.com/matrix-org/matrix-spec-proposals/pull/3814 (MSC3814) */
import type { Encryption } from '../../../encryption/index.ts';
import { optional, string } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';

export const getDehydratedDeviceEvents = defineEndpoint({
  operationId: 'getDehydratedDeviceEvents',
  method: 'GET',
  path: '/_matrix/client/unstable/org.matrix.msc3814.v1/dehydrated_device/{deviceId}/events',
  auth: 'accessToken',
  rateLimit: 'read',
  params: { deviceId: string() },
  query: { from: optional(string()) },
  async handle({ params, query, requester }, { encryption }: { encryption: Pick<Encryption, 'readDehydratedEvents'> }) {
    const page = await encryption.readDehydratedEvents(requester, params.deviceId, query.from);
    const next = page.hasMore ? `,"next_batch":${JSON.stringify(page.next)}` : '';
    return { json: `{"events":[${page.events.join()}]${next}}` };
  },
});
