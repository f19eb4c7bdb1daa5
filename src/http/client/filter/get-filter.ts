/** GET /_matrix/client/v3/user/{userId}/filter/{filterId} — https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3useruseridfilterfilterid */
import type { Accounts } from '../../../accounts/index.ts';
import { string } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { assertOwn } from '../own-user.ts';

export const getFilter = defineEndpoint({
  operationId: 'getFilter',
  method: 'GET',
  path: '/_matrix/client/v3/user/{userId}/filter/{filterId}',
  auth: 'accessToken',
  rateLimit: 'read',
  params: { userId: string(), filterId: string() },
  query: {},
  async handle({ params, requester }, { accounts }: { accounts: Pick<Accounts, 'getFilter'> }) {
    assertOwn(requester, params.userId);
    return { json: await accounts.getFilter(requester.userNid, params.filterId) };
  },
});
