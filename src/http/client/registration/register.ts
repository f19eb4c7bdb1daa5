/** POST /_matrix/client/v3/register — https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3register */
import type { Accounts } from '../../../accounts/index.ts';
import type { JsonObject } from '../../../matrix/json/json-value.ts';
import { boolean, jsonObject, object, oneOf, optional, string, withDefault } from '../../decode.ts';
import { type ClientInfo, defineEndpoint, type Reply } from '../../endpoint.ts';
import { sessionReply } from '../session-reply.ts';
import { sessionFields, sessionRequest } from '../session-request.ts';

interface Domain {
  readonly accounts: Pick<Accounts, 'register' | 'registerGuest'>;
}

export const register = defineEndpoint({
  operationId: 'register',
  method: 'POST',
  path: '/_matrix/client/v3/register',
  auth: 'none',
  rateLimit: 'register',
  repliesWithSecrets: true,
  params: {},
  query: { kind: withDefault(oneOf('user', 'guest'), 'user') },
  body: jsonObject(),
  async handle({ query, body, client }, { accounts }: Domain) {
    return query.kind === 'guest' ? registerGuest(body, client, accounts) : registerUser(body, client, accounts);
  },
});

const userBody = object({
  auth: optional(jsonObject()),
  username: optional(string()),
  password: optional(string()),
  inhibit_login: withDefault(boolean(), false),
  guest_access_token: optional(string()),
  ...sessionFields,
});

async function registerUser(given: JsonObject, client: ClientInfo, accounts: Domain['accounts']): Promise<Reply> {
  const body = userBody.decode(given, 'body');
  const { userId, session } = await accounts.register({
    guestAccessToken: body.guest_access_token,
    username: body.username,
    password: body.password,
    auth: body.auth,
    inhibitLogin: body.inhibit_login,
    session: sessionRequest(body, client),
  });
  return { json: session === undefined ? { user_id: userId } : sessionReply(session) };
}

/** Whatever else the body says does not count, not even if it is wrong. */
const guestBody = object({ initial_device_display_name: sessionFields.initial_device_display_name });

async function registerGuest(given: JsonObject, client: ClientInfo, accounts: Domain['accounts']): Promise<Reply> {
  const { initial_device_display_name: initialDeviceDisplayName } = guestBody.decode(given, 'body');
  return { json: sessionReply(await accounts.registerGuest({ initialDeviceDisplayName, client })) };
}
