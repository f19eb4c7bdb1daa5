/** GET /_matrix/client/v1/admin/suspend/{userId} — https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1adminsuspenduserid */
import type { Accounts } from '../../../accounts/index.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { userId } from '../rooms/identifiers.ts';
import { assertAdministrator } from './assert-administrator.ts';

export const getAdminSuspendUser = defineEndpoint({
  operationId: 'getAdminSuspendUser',
  method: 'GET',
  path: '/_matrix/client/v1/admin/suspend/{userId}',
  auth: 'accessToken',
  rateLimit: 'read',
  params: { userId: userId() },
  query: {},
  async handle({ params, requester }, { accounts }: { accounts: Pick<Accounts, 'getModeratedAccount'> }) {
    assertAdministrator(requester);
    const { isSuspended: suspended } = await accounts.getModeratedAccount(params.userId);
    return { json: { suspended } };
  },
});
