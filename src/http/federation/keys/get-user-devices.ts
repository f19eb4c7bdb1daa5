/** GET /_matrix/federation/v1/user/devices/{userId}. https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1userdevicesuserid */
import type { Encryption } from '../../../encryption/index.ts';
import { userId } from '../../client/rooms/identifiers.ts';
import { defineEndpoint } from '../../endpoint.ts';

export const getUserDevices = defineEndpoint({
  operationId: 'getUserDevices',
  method: 'GET',
  path: '/_matrix/federation/v1/user/devices/{userId}',
  auth: 'serverSignature',
  rateLimit: 'federation',
  params: { userId: userId() },
  query: {},
  async handle({ params }, { encryption }: { encryption: Pick<Encryption, 'userDevices'> }) {
    return { json: await encryption.userDevices(params.userId) };
  },
});
