/** PUT /_matrix/client/v3/profile/{userId}/{keyName} — https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3profileuseridkeyname */
import type { Accounts } from '../../../accounts/index.ts';
import { jsonObject, string } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { userId } from '../rooms/identifiers.ts';

export const setProfileField = defineEndpoint({
  operationId: 'setProfileField',
  method: 'PUT',
  path: '/_matrix/client/v3/profile/{userId}/{keyName}',
  auth: 'accessToken',
  rateLimit: 'account',
  allowGuests: true,
  params: { userId: userId(), keyName: string() },
  query: {},
  body: jsonObject(),
  async handle({ params, body, requester }, { accounts }: { accounts: Pick<Accounts, 'changeProfileField'> }) {
    await accounts.changeProfileField(requester, { userId: params.userId, name: params.keyName }, body);
    return { json: {} };
  },
});
