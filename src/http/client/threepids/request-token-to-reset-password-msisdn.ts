/** POST /_matrix/client/v3/account/password/msisdn/requestToken — https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3accountpasswordmsisdnrequesttoken */
import { defineEndpoint } from '../../endpoint.ts';
import { phoneNotSupported, phoneRequestBody } from './phone-request.ts';

export const requestTokenToResetPasswordMsisdn = defineEndpoint({
  operationId: 'requestTokenToResetPasswordMSISDN',
  method: 'POST',
  path: '/_matrix/client/v3/account/password/msisdn/requestToken',
  auth: 'none',
  rateLimit: 'mail',
  params: {},
  query: {},
  body: phoneRequestBody,
  handle: () => Promise.reject(phoneNotSupported()),
});
