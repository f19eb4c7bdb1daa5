/** GET /_matrix/client/v3/profile/{userId}/{keyName} — https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3profileuseridkeyname */
import type { Accounts } from '../../../accounts/index.ts';
import { string } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { userId } from '../rooms/identifiers.ts';

export const getProfileField = defineEndpoint({
  operationId: 'getProfileField',
  method: 'GET',
  path: '/_matrix/client/v3/profile/{userId}/{keyName}',
  auth: 'none',
  rateLimit: 'read',
  params: { userId: userId(), keyName: string() },
  query: {},
  async handle({ params }, { accounts }: { accounts: Pick<Accounts, 'getProfileField'> }) {
    const { userId: user, keyName } = params;
    return { json: { [keyName]: await accounts.getProfileField(user, keyName) } };
  },
});
