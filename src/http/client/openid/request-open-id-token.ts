/** POST /_matrix/client/v3/user/{userId}/openid/request_token — https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3useruseridopenidrequest_token */
import type { Accounts } from '../../../accounts/index.ts';
import { serverNameOf } from '../../../matrix/ids/user-id.ts';
import { jsonObject, string } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { assertOwn } from '../own-user.ts';

export const requestOpenIdToken = defineEndpoint({
  operationId: 'requestOpenIdToken',
  method: 'POST',
  path: '/_matrix/client/v3/user/{userId}/openid/request_token',
  auth: 'accessToken',
  rateLimit: 'account',
  repliesWithSecrets: true,
  params: { userId: string() },
  query: {},
  body: jsonObject(),
  async handle({ params, requester }, { accounts }: { accounts: Pick<Accounts, 'issueOpenIdToken'> }) {
    assertOwn(requester, params.userId);
    const { token, expiresInMs } = await accounts.issueOpenIdToken(requester);
    return {
      json: {
        access_token: token,
        token_type: 'Bearer',
        matrix_server_name: serverNameOf(requester.userId),
        expires_in: expiresInMs / 1000,
      },
    };
  },
});
