/** GET /_matrix/client/v3/account/whoami — https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3accountwhoami */
import { defineEndpoint } from '../../endpoint.ts';

export const getTokenOwner = defineEndpoint({
  operationId: 'getTokenOwner',
  method: 'GET',
  path: '/_matrix/client/v3/account/whoami',
  auth: 'accessToken',
  rateLimit: 'read',
  allowGuests: true,
  params: {},
  query: {},
  async handle({ requester }) {
    const { userId, deviceId, isGuest } = requester;
    return { json: { user_id: userId, device_id: deviceId, is_guest: isGuest } };
  },
});
