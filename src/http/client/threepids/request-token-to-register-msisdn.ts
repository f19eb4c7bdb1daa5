/** POST /_matrix/client/v3/register/msisdn/requestToken — https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3registermsisdnrequesttoken */
import { defineEndpoint } from '../../endpoint.ts';
import { phoneNotSupported, phoneRequestBody } from './phone-request.ts';

export const requestTokenToRegisterMsisdn = defineEndpoint({
  operationId: 'requestTokenToRegisterMSISDN',
  method: 'POST',
  path: '/_matrix/client/v3/register/msisdn/requestToken',
  auth: 'none',
  rateLimit: 'mail',
  params: {},
  query: {},
  body: phoneRequestBody,
  handle: () => Promise.reject(phoneNotSupported()),
});
