/** POST /_matrix/client/v3/register — https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3register */
import type { Accounts } from '../../../accounts/index.ts';
import { boolean, jsonObject, object, oneOf, optional, string, withDefault } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { sessionReply } from '../session-reply.ts';
import { sessionFields, sessionRequest } from '../session-request.ts';

export const register = defineEndpoint({
  operationId: 'register',
  method: 'POST',
  path: '/_matrix/client/v3/register',
  auth: 'none',
  rateLimit: 'register',
  repliesWithSecrets: true,
  params: {},
  query: { kind: withDefault(oneOf('user', 'guest'), 'user') },
  body: object({
    auth: optional(jsonObject()),
    username: optional(string()),
    password: optional(string()),
    inhibit_login: withDefault(boolean(), false),
    ...sessionFields,
  }),
  async handle({ query, body, client }, { accounts }: { accounts: Pick<Accounts, 'register'> }) {
    const { userId, session } = await accounts.register({
      kind: query.kind,
      username: body.username,
      password: body.password,
      auth: body.auth,
      inhibitLogin: body.inhibit_login,
      session: sessionRequest(body, client),
    });
    return { json: session === undefined ? { user_id: userId } : sessionReply(session) };
  },
});
