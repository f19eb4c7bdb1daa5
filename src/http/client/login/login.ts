/** POST /_matrix/client/v3/login — https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3login */
import type { Accounts } from '../../../accounts/index.ts';
import { parseUserIdentifier } from '../../../accounts/user-identifier.ts';
import { MatrixError } from '../../../matrix/errors.ts';
import { jsonObject, object, string } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { sessionReply } from '../session-reply.ts';
import { sessionFields, sessionRequest } from '../session-request.ts';

const common = object({ type: string(), ...sessionFields });
const byPassword = object({ password: string() });
const byToken = object({ token: string() });

export const login = defineEndpoint({
  operationId: 'login',
  method: 'POST',
  path: '/_matrix/client/v3/login',
  auth: 'none',
  rateLimit: 'login',
  repliesWithSecrets: true,
  params: {},
  query: {},
  body: jsonObject(),
  async handle({ body, client }, { accounts }: { accounts: Pick<Accounts, 'logInWithPassword' | 'logInWithToken'> }) {
    const fields = common.decode(body, 'body');
    const request = sessionRequest(fields, client);
    switch (fields.type) {
      case 'm.login.password': {
        const { password } = byPassword.decode(body, 'body');
        const session = await accounts.logInWithPassword(parseUserIdentifier(body), password, request);
        return { json: sessionReply(session) };
      }
      case 'm.login.token': {
        const { token } = byToken.decode(body, 'body');
        return { json: sessionReply(await accounts.logInWithToken(token, request)) };
      }
      default:
        throw new MatrixError(400, 'M_UNKNOWN', 'Bad login type.');
    }
  },
});
