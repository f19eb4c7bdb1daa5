/** POST /_matrix/client/v3/pushers/set — https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3pushersset */
import { missingParam } from '../../../matrix/errors.ts';
import { limits } from '../../../platform/limits.ts';
import type { Push } from '../../../push/index.ts';
import type { PusherWish } from '../../../push/pushers.ts';
import { boolean, type Decoder, jsonObject, object, optional, parsed, string, withDefault } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';

export const postPusher = defineEndpoint({
  operationId: 'postPusher',
  method: 'POST',
  path: '/_matrix/client/v3/pushers/set',
  auth: 'accessToken',
  rateLimit: 'account',
  params: {},
  query: {},
  body: pusherBody(),
  async handle({ body, requester }, { push }: { push: Pick<Push, 'setPusher' | 'removePusher'> }) {
    if ('kind' in body) await push.setPusher(requester, body);
    else await push.removePusher(requester, body);
    return { json: {} };
  },
});

type PusherBody = PusherWish | { readonly appId: string; readonly pushkey: string };

/** `kind` must be there, and null means that the pusher goes: then the rest of the fields is not needed. */
function pusherBody(): Decoder<PusherBody> {
  return {
    isOptional: false,
    decode(value, at) {
      const key = pusherKey.decode(value, at);
      const { kind } = jsonObject().decode(value, at);
      if (kind === undefined) throw missingParam(`${at}.kind is missing`);
      const { app_id: appId, pushkey } = key;
      if (kind === null) return { appId, pushkey };
      const fields = pusherFields.decode(value, at);
      return {
        appId,
        pushkey,
        kind: fields.kind,
        appDisplayName: fields.app_display_name,
        deviceDisplayName: fields.device_display_name,
        profileTag: fields.profile_tag,
        lang: fields.lang,
        data: fields.data,
        isEnabled: fields['org.matrix.msc3881.enabled'],
        append: fields.append,
      };
    },
  };
}

const pusherKey = object({
  app_id: parsed('an app id of at most 64 characters', (text) =>
    text !== '' && text.length <= limits.pusherAppIdCharactersMax ? text : undefined,
  ),
  pushkey: parsed('a pushkey of at most 512 bytes', (text) =>
    text !== '' && Buffer.byteLength(text) <= limits.pushkeyBytesMax ? text : undefined,
  ),
});

const shortText = () => string({ maxBytes: limits.pusherTextBytesMax });
const pusherFields = object({
  kind: shortText(),
  app_display_name: shortText(),
  device_display_name: shortText(),
  profile_tag: optional(shortText()),
  lang: shortText(),
  data: jsonObject(),
  append: withDefault(boolean(), false),
  'org.matrix.msc3881.enabled': withDefault(boolean(), true),
});
