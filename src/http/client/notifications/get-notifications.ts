/** GET /_matrix/client/v3/notifications — https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3notifications */
import { limits } from '../../../platform/limits.ts';
import type { Push } from '../../../push/index.ts';
import { optional, queryInteger, string, withDefault } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';

export const getNotifications = defineEndpoint({
  operationId: 'getNotifications',
  method: 'GET',
  path: '/_matrix/client/v3/notifications',
  auth: 'accessToken',
  rateLimit: 'read',
  params: {},
  query: {
    from: optional(string()),
    limit: withDefault(queryInteger({ min: 0 }), limits.notificationsDefault),
    only: optional(string()),
  },
  async handle({ query, requester }, { push }: { push: Pick<Push, 'listNotifications'> }) {
    const { from, limit, only } = query;
    return {
      json: { ...(await push.listNotifications(requester, { from, limit, onlyHighlights: only === 'highlight' })) },
    };
  },
});
