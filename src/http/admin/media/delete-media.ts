/** DELETE /_synapse/admin/v1/media/{serverName}/{mediaId} — https://element-hq.github.io/synapse/latest/admin_api/media_admin_api.html#delete-a-specific-local-media */
import type { Media } from '../../../media/index.ts';
import { mxcOf, mxcParams } from '../../client/media/media-parameters.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { deletedMediaReply } from './deleted-media-reply.ts';

export const deleteMedia = defineEndpoint({
  operationId: 'deleteMedia',
  method: 'DELETE',
  path: '/_synapse/admin/v1/media/{serverName}/{mediaId}',
  auth: 'adminAccessToken',
  rateLimit: 'none',
  params: mxcParams,
  query: {},
  async handle({ params }, { media }: { media: Pick<Media, 'administration'> }) {
    const uri = mxcOf(params);
    await media.administration.delete(uri);
    return { json: deletedMediaReply([uri.mediaId]) };
  },
});
