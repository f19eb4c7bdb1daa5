/** POST /_matrix/client/v3/keys/upload — https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3keysupload */
import type { Encryption } from '../../../encryption/index.ts';
import { jsonObject, object, optional } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';

export const uploadKeys = defineEndpoint({
  operationId: 'uploadKeys',
  method: 'POST',
  path: '/_matrix/client/v3/keys/upload',
  auth: 'accessToken',
  rateLimit: 'account',
  allowGuests: true,
  params: {},
  query: {},
  body: object({
    device_keys: optional(jsonObject()),
    one_time_keys: optional(jsonObject()),
    fallback_keys: optional(jsonObject()),
  }),
  async handle({ body, requester }, { encryption }: { encryption: Pick<Encryption, 'uploadKeys'> }) {
    const { oneTimeKeys } = await encryption.uploadKeys(requester, {
      deviceKeys: body.device_keys,
      oneTimeKeys: body.one_time_keys,
      fallbackKeys: body.fallback_keys,
    });
    return { json: { one_time_key_counts: oneTimeKeys } };
  },
});
