/** PUT /_matrix/client/v1/admin/lock/{userId} — https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv1adminlockuserid */
import type { Accounts } from '../../../accounts/index.ts';
import { boolean, object } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { userId } from '../rooms/identifiers.ts';
import { assertAdministrator } from './assert-administrator.ts';

export const setAdminLockUser = defineEndpoint({
  operationId: 'setAdminLockUser',
  method: 'PUT',
  path: '/_matrix/client/v1/admin/lock/{userId}',
  auth: 'accessToken',
  rateLimit: 'account',
  params: { userId: userId() },
  query: {},
  body: object({ locked: boolean() }),
  async handle({ params, body, requester }, { accounts }: { accounts: Pick<Accounts, 'moderateAccount'> }) {
    assertAdministrator(requester);
    await accounts.moderateAccount(requester, params.userId, { isLocked: body.locked });
    return { json: { locked: body.locked } };
  },
});
