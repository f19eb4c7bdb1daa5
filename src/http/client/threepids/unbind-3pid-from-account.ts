/** POST /_matrix/client/v3/account/3pid/unbind — https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3account3pidunbind */
import { object, oneOf, optional, string } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';

/** Nothing was ever bound to an identity server, and none is called. */
export const unbind3pidFromAccount = defineEndpoint({
  operationId: 'unbind3pidFromAccount',
  method: 'POST',
  path: '/_matrix/client/v3/account/3pid/unbind',
  auth: 'accessToken',
  rateLimit: 'account',
  params: {},
  query: {},
  body: object({ medium: oneOf('email', 'msisdn'), address: string(), id_server: optional(string()) }),
  handle: () => Promise.resolve({ json: { id_server_unbind_result: 'no-support' } }),
});
