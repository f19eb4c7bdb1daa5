/** GET /_matrix/client/v3/devices/{deviceId} — https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3devicesdeviceid */
import type { Accounts } from '../../../accounts/index.ts';
import { string } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { deviceReply } from './device-reply.ts';

export const getDevice = defineEndpoint({
  operationId: 'getDevice',
  method: 'GET',
  path: '/_matrix/client/v3/devices/{deviceId}',
  auth: 'accessToken',
  rateLimit: 'read',
  allowGuests: true,
  params: { deviceId: string() },
  query: {},
  async handle({ params, requester }, { accounts }: { accounts: Pick<Accounts, 'getDevice'> }) {
    return { json: deviceReply(await accounts.getDevice(requester.userNid, params.deviceId)) };
  },
});
