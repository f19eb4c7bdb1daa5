/** POST /_matrix/federation/v1/user/keys/query. https://spec.matrix.org/v1.19/server-server-api/#post_matrixfederationv1userkeysquery */
import type { Encryption } from '../../../encryption/index.ts';
import { recordByUser } from '../../client/keys/record-by-user.ts';
import { arrayOf, object, string } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';

export const queryUserEncryptionKeys = defineEndpoint({
  operationId: 'queryUserEncryptionKeys',
  method: 'POST',
  path: '/_matrix/federation/v1/user/keys/query',
  auth: 'serverSignature',
  rateLimit: 'federation',
  params: {},
  query: {},
  body: object({ device_keys: recordByUser(arrayOf(string())) }),
  async handle({ body }, { encryption }: { encryption: Pick<Encryption, 'queryKeysForServer'> }) {
    return { json: await encryption.queryKeysForServer(body.device_keys) };
  },
});
