/** GET /_matrix/client/unstable/org.matrix.msc3814.v1/dehydrated_device — https://github.com/matrix-org/matrix-spec-proposals/pull/3814 (MSC3814) */
import type { Encryption } from '../../../encryption/index.ts';
import { defineEndpoint } from '../../endpoint.ts';

export const getDehydratedDevice = defineEndpoint({
  operationId: 'getDehydratedDevice',
  method: 'GET',
  path: '/_matrix/client/unstable/org.matrix.msc3814.v1/dehydrated_device',
  auth: 'accessToken',
  rateLimit: 'read',
  params: {},
  query: {},
  async handle({ requester }, { encryption }: { encryption: Pick<Encryption, 'getDehydratedDevice'> }) {
    const { deviceId, deviceData } = await encryption.getDehydratedDevice(requester);
    return { json: { device_id: deviceId, device_data: deviceData } };
  },
});
