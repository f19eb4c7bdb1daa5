/** DELETE /_matrix/client/v3/profile/{userId}/{keyName} — https://spec.matrix.org/v1.19/client-server-api/#delete_matrixclientv3profileuseridkeyname */
import type { Accounts } from '../../../accounts/index.ts';
import { string } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { userId } from '../rooms/identifiers.ts';

export const deleteProfileField = defineEndpoint({
  operationId: 'deleteProfileField',
  method: 'DELETE',
  path: '/_matrix/client/v3/profile/{userId}/{keyName}',
  auth: 'accessToken',
  rateLimit: 'account',
  allowGuests: true,
  params: { userId: userId(), keyName: string() },
  query: {},
  async handle({ params, requester }, { accounts }: { accounts: Pick<Accounts, 'removeProfileField'> }) {
    await accounts.removeProfileField(requester, { userId: params.userId, name: params.keyName });
    return { json: {} };
  },
});
