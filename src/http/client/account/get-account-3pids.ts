/** GET /_matrix/client/v3/account/3pid — https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3account3pid */
import type { Accounts } from '../../../accounts/index.ts';
import { defineEndpoint } from '../../endpoint.ts';

export const getAccount3pids = defineEndpoint({
  operationId: 'getAccount3PIDs',
  method: 'GET',
  path: '/_matrix/client/v3/account/3pid',
  auth: 'accessToken',
  rateLimit: 'read',
  params: {},
  query: {},
  async handle({ requester }, { accounts }: { accounts: Pick<Accounts, 'listThreepids'> }) {
    const threepids = await accounts.listThreepids(requester.userNid);
    return {
      json: {
        threepids: threepids.map(({ medium, address, added_ts: addedTs, validated_ts: validatedTs }) => ({
          medium,
          address,
          added_at: addedTs,
          validated_at: validatedTs,
        })),
      },
    };
  },
});
