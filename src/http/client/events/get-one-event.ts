/** GET /_matrix/client/v3/events/{eventId} — https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3eventseventid */
import type { Rooms } from '../../../rooms/index.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { eventId } from '../rooms/identifiers.ts';

export const getOneEvent = defineEndpoint({
  operationId: 'getOneEvent',
  method: 'GET',
  path: '/_matrix/client/v3/events/{eventId}',
  auth: 'accessToken',
  rateLimit: 'read',
  params: { eventId: eventId() },
  query: {},
  async handle({ params, requester }, { rooms }: { rooms: Pick<Rooms, 'eventAnywhere'> }) {
    return { json: await rooms.eventAnywhere(requester, params.eventId) };
  },
});
