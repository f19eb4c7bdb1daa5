/** GET /_matrix/client/v3/keys/changes — https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3keyschanges */
import { invalidParam } from '../../../matrix/errors.ts';
import { parseStreamToken } from '../../../rooms/pagination-token.ts';
import type { Sync } from '../../../sync/index.ts';
import { parsed } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';

const token = () => parsed('a token of this server', parseStreamToken);

export const getKeysChanges = defineEndpoint({
  operationId: 'getKeysChanges',
  method: 'GET',
  path: '/_matrix/client/v3/keys/changes',
  auth: 'accessToken',
  rateLimit: 'read',
  params: {},
  query: { from: token(), to: token() },
  async handle({ query, requester }, { sync }: { sync: Pick<Sync, 'deviceListChanges'> }) {
    if (query.to < query.from) throw invalidParam('to is before from');
    return { json: { ...(await sync.deviceListChanges(requester, query.from)) } };
  },
});
