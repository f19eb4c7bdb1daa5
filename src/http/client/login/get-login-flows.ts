/** GET /_matrix/client/v3/login — https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3login */
import { defineEndpoint } from '../../endpoint.ts';

export const getLoginFlows = defineEndpoint({
  operationId: 'getLoginFlows',
  method: 'GET',
  path: '/_matrix/client/v3/login',
  auth: 'none',
  rateLimit: 'read',
  params: {},
  query: {},
  async handle() {
    return { json: { flows: [{ type: 'm.login.password' }, { type: 'm.login.token', get_login_token: true }] } };
  },
});
