/** GET /_matrix/client/v3/presence/{userId}/status — https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3presenceuseridstatus */
import type { Presence } from '../../../presence/index.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { userId } from '../rooms/identifiers.ts';

export const getPresence = defineEndpoint({
  operationId: 'getPresence',
  method: 'GET',
  path: '/_matrix/client/v3/presence/{userId}/status',
  auth: 'accessToken',
  rateLimit: 'read',
  params: { userId: userId() },
  query: {},
  async handle({ params, requester }, { presence }: { presence: Pick<Presence, 'getPresence'> }) {
    return { json: await presence.getPresence(requester, params.userId) };
  },
});
