/** DELETE /_matrix/client/v3/devices/{deviceId} — https://spec.matrix.org/v1.19/client-server-api/#delete_matrixclientv3devicesdeviceid */
import type { Accounts } from '../../../accounts/index.ts';
import { jsonObject, object, optional, string } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';

export const deleteDevice = defineEndpoint({
  operationId: 'deleteDevice',
  method: 'DELETE',
  path: '/_matrix/client/v3/devices/{deviceId}',
  auth: 'accessToken',
  rateLimit: 'account',
  params: { deviceId: string() },
  query: {},
  body: object({ auth: optional(jsonObject()) }),
  async handle({ params, body, requester }, { accounts }: { accounts: Pick<Accounts, 'deleteOwnDevices'> }) {
    await accounts.deleteOwnDevices(requester, [params.deviceId], body.auth);
    return { json: {} };
  },
});
