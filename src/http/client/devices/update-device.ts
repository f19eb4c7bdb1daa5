/** PUT /_matrix/client/v3/devices/{deviceId} — https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3devicesdeviceid */
import type { Accounts } from '../../../accounts/index.ts';
import { limits } from '../../../platform/limits.ts';
import { object, optional, string } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';

export const updateDevice = defineEndpoint({
  operationId: 'updateDevice',
  method: 'PUT',
  path: '/_matrix/client/v3/devices/{deviceId}',
  auth: 'accessToken',
  rateLimit: 'account',
  allowGuests: true,
  params: { deviceId: string() },
  query: {},
  body: object({ display_name: optional(string({ maxBytes: limits.deviceNameBytesMax })) }),
  async handle({ params, body, requester }, { accounts }: { accounts: Pick<Accounts, 'updateDevice'> }) {
    await accounts.updateDevice(requester.userNid, params.deviceId, body.display_name);
    return { json: {} };
  },
});
