/** POST /_matrix/client/unstable/org.matrix.msc3814.v1/dehydrated_device/{deviceId}/events — https://github.com/matrix-org/matrix-spec-proposals/pull/3814 (MSC3814) */
import type { Encryption } from '../../../encryption/index.ts';
import { object, optional, string } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';

export const postDehydratedDeviceEvents = defineEndpoint({
  operationId: 'postDehydratedDeviceEvents',
  method: 'POST',
  path: '/_matrix/client/unstable/org.matrix.msc3814.v1/dehydrated_device/{deviceId}/events',
  auth: 'accessToken',
  rateLimit: 'read',
  params: { deviceId: string() },
  query: {},
  body: object({ next_batch: optional(string()) }),
  async handle({ params, body, requester }, { encryption }: { encryption: Pick<Encryption, 'readDehydratedEvents'> }) {
    const page = await encryption.readDehydratedEvents(requester, params.deviceId, body.next_batch);
    // Clients of this older form go on until a page is empty.
    return { json: `{"events":[${page.events.join()}],"next_batch":${JSON.stringify(page.next)}}` };
  },
});
