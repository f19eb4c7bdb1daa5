/** GET /_matrix/federation/v1/openid/userinfo. https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1openiduserinfo */
import type { Accounts } from '../../accounts/index.ts';
import { string } from '../decode.ts';
import { defineEndpoint } from '../endpoint.ts';

export const exchangeOpenIdToken = defineEndpoint({
  operationId: 'exchangeOpenIdToken',
  method: 'GET',
  path: '/_matrix/federation/v1/openid/userinfo',
  // The token is all that is asked for: whoever was given it may be no Matrix server.
  auth: 'none',
  rateLimit: 'read',
  params: {},
  query: { access_token: string() },
  async handle({ query }, { accounts }: { accounts: Pick<Accounts, 'openIdTokenOwner'> }) {
    return { json: { sub: await accounts.openIdTokenOwner(query.access_token) } };
  },
});
