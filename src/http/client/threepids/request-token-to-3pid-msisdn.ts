/** POST /_matrix/client/v3/account/3pid/msisdn/requestToken — https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3account3pidmsisdnrequesttoken */
import { defineEndpoint } from '../../endpoint.ts';
import { phoneNotSupported, phoneRequestBody } from './phone-request.ts';

export const requestTokenTo3pidMsisdn = defineEndpoint({
  operationId: 'requestTokenTo3PIDMSISDN',
  method: 'POST',
  path: '/_matrix/client/v3/account/3pid/msisdn/requestToken',
  auth: 'none',
  rateLimit: 'mail',
  params: {},
  query: {},
  body: phoneRequestBody,
  handle: () => Promise.reject(phoneNotSupported()),
});
