/** PUT /_matrix/client/v1/admin/suspend/{userId} — https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv1adminsuspenduserid */
import type { Accounts } from '../../../accounts/index.ts';
import { boolean, object } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { userId } from '../rooms/identifiers.ts';
import { assertAdministrator } from './assert-administrator.ts';

export const setAdminSuspendUser = defineEndpoint({
  operationId: 'setAdminSuspendUser',
  method: 'PUT',
  path: '/_matrix/client/v1/admin/suspend/{userId}',
  auth: 'accessToken',
  rateLimit: 'account',
  params: { userId: userId() },
  query: {},
  body: object({ suspended: boolean() }),
  async handle({ params, body, requester }, { accounts }: { accounts: Pick<Accounts, 'moderateAccount'> }) {
    assertAdministrator(requester);
    await accounts.moderateAccount(requester, params.userId, { isSuspended: body.suspended });
    return { json: { suspended: body.suspended } };
  },
});
