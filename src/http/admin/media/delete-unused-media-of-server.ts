/** POST /_synapse/admin/v1/media/{serverName}/delete — https://element-hq.github.io/synapse/latest/admin_api/media_admin_api.html#delete-local-media-by-date-or-size */
import type { Media } from '../../../media/index.ts';
import { serverName } from '../../client/rooms/identifiers.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { deletedMediaReply } from './deleted-media-reply.ts';
import { unusedMediaOf, unusedMediaQuery } from './unused-media-query.ts';

export const deleteUnusedMediaOfServer = defineEndpoint({
  operationId: 'deleteUnusedMediaOfServer',
  method: 'POST',
  path: '/_synapse/admin/v1/media/{serverName}/delete',
  auth: 'adminAccessToken',
  rateLimit: 'none',
  params: { serverName: serverName() },
  query: unusedMediaQuery,
  async handle({ params, query }, { media }: { media: Pick<Media, 'administration'> }) {
    const wish = { serverName: params.serverName, ...unusedMediaOf(query) };
    return { json: deletedMediaReply(await media.administration.deleteUnused(wish)) };
  },
});
