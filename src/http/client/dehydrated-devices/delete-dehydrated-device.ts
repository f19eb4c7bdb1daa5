/** DELETE /_matrix/client/unstable/org.matrix.msc3814.v1/dehydrated_device — https://github.com/matrix-org/matrix-spec-proposals/pull/3814 (MSC3814) */
import type { Encryption } from '../../../encryption/index.ts';
import { defineEndpoint } from '../../endpoint.ts';

export const deleteDehydratedDevice = defineEndpoint({
  operationId: 'deleteDehydratedDevice',
  method: 'DELETE',
  path: '/_matrix/client/unstable/org.matrix.msc3814.v1/dehydrated_device',
  auth: 'accessToken',
  rateLimit: 'account',
  params: {},
  query: {},
  async handle({ requester }, { encryption }: { encryption: Pick<Encryption, 'deleteDehydratedDevice'> }) {
    return { json: { device_id: await encryption.deleteDehydratedDevice(requester) } };
  },
});
