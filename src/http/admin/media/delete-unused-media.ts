/** POST /_synapse/admin/v1/media/delete — https://element-hq.github.io/synapse/latest/admin_api/media_admin_api.html#delete-local-media-by-date-or-size */
import type { Media } from '../../../media/index.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { deletedMediaReply } from './deleted-media-reply.ts';
import { unusedMediaOf, unusedMediaQuery } from './unused-media-query.ts';

export const deleteUnusedMedia = defineEndpoint({
  operationId: 'deleteUnusedMedia',
  method: 'POST',
  path: '/_synapse/admin/v1/media/delete',
  auth: 'adminAccessToken',
  rateLimit: 'none',
  params: {},
  query: unusedMediaQuery,
  async handle({ query }, { media }: { media: Pick<Media, 'administration'> }) {
    const wish = { serverName: undefined, ...unusedMediaOf(query) };
    return { json: deletedMediaReply(await media.administration.deleteUnused(wish)) };
  },
});
