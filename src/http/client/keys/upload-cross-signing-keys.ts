/** POST /_matrix/client/v3/keys/device_signing/upload — https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3keysdevice_signingupload */
import type { Encryption } from '../../../encryption/index.ts';
import { jsonObject, object, optional } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';

export const uploadCrossSigningKeys = defineEndpoint({
  operationId: 'uploadCrossSigningKeys',
  method: 'POST',
  path: '/_matrix/client/v3/keys/device_signing/upload',
  alsoAt: ['/_matrix/client/unstable/keys/device_signing/upload'],
  auth: 'accessToken',
  rateLimit: 'account',
  params: {},
  query: {},
  body: object({
    master_key: optional(jsonObject()),
    self_signing_key: optional(jsonObject()),
    user_signing_key: optional(jsonObject()),
    auth: optional(jsonObject()),
  }),
  async handle({ body, requester }, { encryption }: { encryption: Pick<Encryption, 'uploadCrossSigningKeys'> }) {
    await encryption.uploadCrossSigningKeys(requester, {
      keys: { master: body.master_key, self_signing: body.self_signing_key, user_signing: body.user_signing_key },
      auth: body.auth,
    });
    return { json: {} };
  },
});
