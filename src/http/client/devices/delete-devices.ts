/** POST /_matrix/client/v3/delete_devices — https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3delete_devices */
import type { Accounts } from '../../../accounts/index.ts';
import { arrayOf, jsonObject, object, optional, string } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';

export const deleteDevices = defineEndpoint({
  operationId: 'deleteDevices',
  method: 'POST',
  path: '/_matrix/client/v3/delete_devices',
  auth: 'accessToken',
  rateLimit: 'account',
  params: {},
  query: {},
  body: object({ devices: arrayOf(string()), auth: optional(jsonObject()) }),
  async handle({ body, requester }, { accounts }: { accounts: Pick<Accounts, 'deleteOwnDevices'> }) {
    await accounts.deleteOwnDevices(requester, body.devices, body.auth);
    return { json: {} };
  },
});
