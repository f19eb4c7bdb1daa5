/** POST /_matrix/client/v3/users/{userId}/report — https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3usersuseridreport */
import type { Accounts } from '../../../accounts/index.ts';
import { limits } from '../../../platform/limits.ts';
import { object, string } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { userId } from '../rooms/identifiers.ts';

export const reportUser = defineEndpoint({
  operationId: 'reportUser',
  method: 'POST',
  path: '/_matrix/client/v3/users/{userId}/report',
  auth: 'accessToken',
  rateLimit: 'report',
  params: { userId: userId() },
  query: {},
  body: object({ reason: string({ maxBytes: limits.reportReasonBytesMax }) }),
  async handle({ params, body, requester }, { accounts }: { accounts: Pick<Accounts, 'reportUser'> }) {
    await accounts.reportUser(requester, params.userId, body.reason);
    return { json: {} };
  },
});
