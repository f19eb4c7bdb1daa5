/** POST /_matrix/client/v3/user/{userId}/filter — https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3useruseridfilter */
import type { Accounts } from '../../../accounts/index.ts';
import { jsonObject, string } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { assertOwn } from '../own-user.ts';

export const defineFilter = defineEndpoint({
  operationId: 'defineFilter',
  method: 'POST',
  path: '/_matrix/client/v3/user/{userId}/filter',
  auth: 'accessToken',
  rateLimit: 'account',
  params: { userId: string() },
  query: {},
  body: jsonObject(),
  async handle({ params, body, requester }, { accounts }: { accounts: Pick<Accounts, 'defineFilter'> }) {
    assertOwn(requester, params.userId);
    return { json: { filter_id: await accounts.defineFilter(requester.userNid, body) } };
  },
});
