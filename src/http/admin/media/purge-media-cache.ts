/** POST /_synapse/admin/v1/purge_media_cache — https://element-hq.github.io/synapse/latest/admin_api/media_admin_api.html#purge-remote-media-api */
import type { Media } from '../../../media/index.ts';
import { queryInteger } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';

export const purgeMediaCache = defineEndpoint({
  operationId: 'purgeMediaCache',
  method: 'POST',
  path: '/_synapse/admin/v1/purge_media_cache',
  auth: 'adminAccessToken',
  rateLimit: 'none',
  params: {},
  query: { before_ts: queryInteger({ min: 0 }) },
  async handle({ query }, { media }: { media: Pick<Media, 'administration'> }) {
    return { json: { deleted: await media.administration.purgeRemote(query.before_ts) } };
  },
});
