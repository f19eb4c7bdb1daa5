/** GET /_matrix/client/v3/initialSync — https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3initialsync */
import { limits } from '../../../platform/limits.ts';
import type { Sync } from '../../../sync/index.ts';
import { queryBoolean, queryInteger, withDefault } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';

export const initialSync = defineEndpoint({
  operationId: 'initialSync',
  method: 'GET',
  path: '/_matrix/client/v3/initialSync',
  auth: 'accessToken',
  rateLimit: 'read',
  params: {},
  query: {
    limit: withDefault(queryInteger({ min: 0 }), limits.timelineEventsDefault),
    archived: withDefault(queryBoolean(), false),
  },
  async handle({ query, requester }, { sync }: { sync: Pick<Sync, 'initialSync'> }) {
    return { json: await sync.initialSync({ requester, ...query }) };
  },
});
