/** POST /_matrix/client/v3/account/3pid/bind — https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3account3pidbind */
import { MatrixError } from '../../../matrix/errors.ts';
import { object, string } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';

/** Always refused: no identity server is ever told or asked anything. */
export const bind3pid = defineEndpoint({
  operationId: 'bind3PID',
  method: 'POST',
  path: '/_matrix/client/v3/account/3pid/bind',
  auth: 'accessToken',
  rateLimit: 'account',
  params: {},
  query: {},
  body: object({ client_secret: string(), id_server: string(), id_access_token: string(), sid: string() }),
  handle: () => Promise.reject(new MatrixError(403, 'M_THREEPID_DENIED', 'This server works without identity servers')),
});
