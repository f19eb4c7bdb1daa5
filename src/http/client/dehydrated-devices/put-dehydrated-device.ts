/** PUT /_matrix/client/unstable/org.matrix.msc3814.v1/dehydrated_device — https://github.com/matrix-org/matrix-spec-proposals/pull/3814 (MSC3814) */
import type { Encryption } from '../../../encryption/index.ts';
import { jsonObject, object, optional, string } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { limits } from '../../../platform/limits.ts';

export const putDehydratedDevice = defineEndpoint({
  operationId: 'putDehydratedDevice',
  method: 'PUT',
  path: '/_matrix/client/unstable/org.matrix.msc3814.v1/dehydrated_device',
  auth: 'accessToken',
  rateLimit: 'account',
  params: {},
  query: {},
  body: object({
    device_id: string({ maxBytes: 255 }),
    device_data: jsonObject(),
    initial_device_display_name: optional(string({ maxBytes: limits.deviceNameBytesMax })),
    device_keys: jsonObject(),
    one_time_keys: optional(jsonObject()),
    fallback_keys: optional(jsonObject()),
  }),
  async handle({ body, requester }, { encryption }: { encryption: Pick<Encryption, 'putDehydratedDevice'> }) {
    await encryption.putDehydratedDevice(requester, {
      deviceId: body.device_id,
      deviceData: body.device_data,
      displayName: body.initial_device_display_name,
      keys: { deviceKeys: body.device_keys, oneTimeKeys: body.one_time_keys, fallbackKeys: body.fallback_keys },
    });
    return { json: { device_id: body.device_id } };
  },
});
