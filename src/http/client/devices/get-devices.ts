/** GET /_matrix/client/v3/devices — https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3devices */
import type { Accounts } from '../../../accounts/index.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { deviceReply } from './device-reply.ts';

export const getDevices = defineEndpoint({
  operationId: 'getDevices',
  method: 'GET',
  path: '/_matrix/client/v3/devices',
  auth: 'accessToken',
  rateLimit: 'read',
  allowGuests: true,
  params: {},
  query: {},
  async handle({ requester }, { accounts }: { accounts: Pick<Accounts, 'listDevices'> }) {
    const devices = await accounts.listDevices(requester.userNid);
    return { json: { devices: devices.map((device) => deviceReply(device)) } };
  },
});
