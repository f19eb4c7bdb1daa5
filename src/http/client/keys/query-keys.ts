/** POST /_matrix/client/v3/keys/query — https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3keysquery */
import type { Encryption } from '../../../encryption/index.ts';
import { arrayOf, integer, object, optional, string } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { recordByUser } from './record-by-user.ts';

export const queryKeys = defineEndpoint({
  operationId: 'queryKeys',
  method: 'POST',
  path: '/_matrix/client/v3/keys/query',
  auth: 'accessToken',
  rateLimit: 'read',
  allowGuests: true,
  params: {},
  query: {},
  body: object({ timeout: optional(integer()), device_keys: recordByUser(arrayOf(string())) }),
  async handle({ body, requester }, { encryption }: { encryption: Pick<Encryption, 'queryKeys'> }) {
    return { json: await encryption.queryKeys(requester, body.device_keys, body.timeout) };
  },
});
