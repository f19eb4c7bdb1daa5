/** GET /_matrix/client/v1/admin/lock/{userId} — https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1adminlockuserid */
import type { Accounts } from '../../../accounts/index.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { userId } from '../rooms/identifiers.ts';
import { assertAdministrator } from './assert-administrator.ts';

export const getAdminLockUser = defineEndpoint({
  operationId: 'getAdminLockUser',
  method: 'GET',
  path: '/_matrix/client/v1/admin/lock/{userId}',
  auth: 'accessToken',
  rateLimit: 'read',
  params: { userId: userId() },
  query: {},
  async handle({ params, requester }, { accounts }: { accounts: Pick<Accounts, 'getModeratedAccount'> }) {
    assertAdministrator(requester);
    const { isLocked: locked } = await accounts.getModeratedAccount(params.userId);
    return { json: { locked } };
  },
});
