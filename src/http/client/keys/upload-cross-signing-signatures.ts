/** POST /_matrix/client/v3/keys/signatures/upload — https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3keyssignaturesupload */
import type { Encryption } from '../../../encryption/index.ts';
import { jsonObject, recordOf } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { recordByUser } from './record-by-user.ts';

export const uploadCrossSigningSignatures = defineEndpoint({
  operationId: 'uploadCrossSigningSignatures',
  method: 'POST',
  path: '/_matrix/client/v3/keys/signatures/upload',
  alsoAt: ['/_matrix/client/unstable/keys/signatures/upload'],
  auth: 'accessToken',
  rateLimit: 'account',
  params: {},
  query: {},
  body: recordByUser(recordOf(jsonObject())),
  async handle({ body, requester }, { encryption }: { encryption: Pick<Encryption, 'uploadSignatures'> }) {
    return { json: await encryption.uploadSignatures(requester, body) };
  },
});
