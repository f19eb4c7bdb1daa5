/** GET /_matrix/federation/v1/query/profile. https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1queryprofile */
import type { Accounts } from '../../../accounts/index.ts';
import type { FederationOfUsers } from '../../client/federation-of-users.ts';
import { userId } from '../../client/rooms/identifiers.ts';
import { optional, string } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';

export const queryProfile = defineEndpoint({
  operationId: 'queryProfile',
  method: 'GET',
  path: '/_matrix/federation/v1/query/profile',
  auth: 'serverSignature',
  rateLimit: 'federation',
  params: {},
  query: { user_id: userId(), field: optional(string()) },
  async handle(
    { query },
    { accounts, federation }: { accounts: Pick<Accounts, 'getLocalProfile'> } & Pick<FederationOfUsers, 'federation'>,
  ) {
    federation.policy.assertMayFederate(query.user_id, 'incoming');
    const profile = await accounts.getLocalProfile(query.user_id);
    if (query.field === undefined) return { json: profile };
    const value = Object.hasOwn(profile, query.field) ? profile[query.field] : undefined;
    return { json: value === undefined ? {} : { [query.field]: value } };
  },
});
