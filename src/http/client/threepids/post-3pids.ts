/** POST /_matrix/client/v3/account/3pid — https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3account3pid */
import type { Accounts } from '../../../accounts/index.ts';
import { MatrixError } from '../../../matrix/errors.ts';
import { jsonObject, object, optional, string } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';

/**
 * Deprecated. What this server has confirmed itself is added as by /account/3pid/add, password included; an address that an
 * identity server has confirmed is not, because no identity server is asked.
 */
export const post3pids = defineEndpoint({
  operationId: 'post3PIDs',
  method: 'POST',
  path: '/_matrix/client/v3/account/3pid',
  auth: 'accessToken',
  rateLimit: 'account',
  refusedWhileSuspended: true,
  params: {},
  query: {},
  body: object({
    auth: optional(jsonObject()),
    three_pid_creds: object({
      client_secret: string(),
      sid: string(),
      id_server: string(),
      id_access_token: string(),
    }),
  }),
  async handle({ body, requester }, { accounts }: { accounts: Pick<Accounts, 'addEmail'> }) {
    const { sid, client_secret: clientSecret } = body.three_pid_creds;
    try {
      await accounts.addEmail(requester, { sid, clientSecret }, body.auth);
    } catch (error) {
      const isUnconfirmed = error instanceof MatrixError && error.errcode === 'M_THREEPID_AUTH_FAILED';
      throw isUnconfirmed ? new MatrixError(403, error.errcode, error.message) : error;
    }
    return { json: {} };
  },
});
