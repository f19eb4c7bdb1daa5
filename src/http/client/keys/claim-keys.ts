/** POST /_matrix/client/v3/keys/claim — https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3keysclaim */
import type { Encryption } from '../../../encryption/index.ts';
import { integer, object, optional, recordOf, string } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { recordByUser } from './record-by-user.ts';

export const claimKeys = defineEndpoint({
  operationId: 'claimKeys',
  method: 'POST',
  path: '/_matrix/client/v3/keys/claim',
  auth: 'accessToken',
  rateLimit: 'send',
  allowGuests: true,
  params: {},
  query: {},
  body: object({ timeout: optional(integer()), one_time_keys: recordByUser(recordOf(string())) }),
  async handle({ body }, { encryption }: { encryption: Pick<Encryption, 'claimKeys'> }) {
    return { json: await encryption.claimKeys(body.one_time_keys, body.timeout) };
  },
});
