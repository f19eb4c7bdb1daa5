/** GET /_matrix/client/v3/pushers — https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3pushers */
import type { JsonObject } from '../../../matrix/json/json-value.ts';
import type { Push } from '../../../push/index.ts';
import type { Pusher } from '../../../push/pushers.ts';
import { defineEndpoint } from '../../endpoint.ts';

export const getPushers = defineEndpoint({
  operationId: 'getPushers',
  method: 'GET',
  path: '/_matrix/client/v3/pushers',
  auth: 'accessToken',
  rateLimit: 'read',
  params: {},
  query: {},
  async handle({ requester }, { push }: { push: Pick<Push, 'listPushers'> }) {
    const pushers = await push.listPushers(requester);
    return { json: { pushers: pushers.map(pusherReply) } };
  },
});

function pusherReply(pusher: Pusher): JsonObject {
  const { deviceId, profileTag } = pusher;
  return {
    pushkey: pusher.pushkey,
    kind: pusher.kind,
    app_id: pusher.appId,
    app_display_name: pusher.appDisplayName,
    device_display_name: pusher.deviceDisplayName,
    ...(profileTag === undefined ? {} : { profile_tag: profileTag }),
    lang: pusher.lang,
    data: pusher.data,
    'org.matrix.msc3881.enabled': pusher.isEnabled,
    ...(deviceId === undefined ? {} : { 'org.matrix.msc3881.device_id': deviceId }),
  };
}
