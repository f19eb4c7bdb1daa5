/** PUT /_matrix/client/v3/presence/{userId}/status — https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3presenceuseridstatus */
import { assertNotSuspended } from '../../../accounts/suspension.ts';
import type { Presence } from '../../../presence/index.ts';
import { object, oneOf, optional, string } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { userId } from '../rooms/identifiers.ts';

export const setPresence = defineEndpoint({
  operationId: 'setPresence',
  method: 'PUT',
  path: '/_matrix/client/v3/presence/{userId}/status',
  auth: 'accessToken',
  rateLimit: 'signal',
  params: { userId: userId() },
  query: {},
  body: object({ presence: oneOf('online', 'offline', 'unavailable'), status_msg: optional(string()) }),
  async handle({ params, body, requester }, { presence }: { presence: Pick<Presence, 'setPresence'> }) {
    // A message to everybody is like a profile; being there is not.
    if (body.status_msg !== undefined) assertNotSuspended(requester);
    presence.setPresence(requester, params.userId, body.presence, body.status_msg);
    return { json: {} };
  },
});
