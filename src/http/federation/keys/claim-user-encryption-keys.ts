/** POST /_matrix/federation/v1/user/keys/claim. https://spec.matrix.org/v1.19/server-server-api/#post_matrixfederationv1userkeysclaim */
import type { Encryption } from '../../../encryption/index.ts';
import { recordByUser } from '../../client/keys/record-by-user.ts';
import { object, recordOf, string } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';

export const claimUserEncryptionKeys = defineEndpoint({
  operationId: 'claimUserEncryptionKeys',
  method: 'POST',
  path: '/_matrix/federation/v1/user/keys/claim',
  auth: 'serverSignature',
  rateLimit: 'federation',
  params: {},
  query: {},
  body: object({ one_time_keys: recordByUser(recordOf(string())) }),
  async handle({ body }, { encryption }: { encryption: Pick<Encryption, 'claimKeysForServer'> }) {
    return { json: await encryption.claimKeysForServer(body.one_time_keys) };
  },
});
