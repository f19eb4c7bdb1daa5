/** POST /_matrix/client/v3/account/password — https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3accountpassword */
import type { Accounts } from '../../../accounts/index.ts';
import { boolean, jsonObject, object, optional, string, withDefault } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';

export const changePassword = defineEndpoint({
  operationId: 'changePassword',
  method: 'POST',
  path: '/_matrix/client/v3/account/password',
  auth: 'optionalAccessToken',
  rateLimit: 'login',
  params: {},
  query: {},
  body: object({
    new_password: string(),
    logout_devices: withDefault(boolean(), true),
    auth: optional(jsonObject()),
  }),
  async handle({ body, requester }, { accounts }: { accounts: Pick<Accounts, 'changePassword'> }) {
    const { new_password: newPassword, logout_devices: logoutDevices, auth } = body;
    await accounts.changePassword(requester, { newPassword, logoutDevices, auth });
    return { json: {} };
  },
});
